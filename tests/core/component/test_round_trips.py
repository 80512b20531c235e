"""Saving, loading and saving again gives the same, for every class that can be saved."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from symposia.agentchat.agents import AssistantAgent, CodeExecutorAgent, UserProxyAgent
from symposia.agentchat.base import Handoff, TerminationCondition
from symposia.agentchat.conditions import (
    ExternalTermination,
    FunctionCallTermination,
    HandoffTermination,
    MaxMessageTermination,
    SourceMatchTermination,
    StopMessageTermination,
    TextMentionTermination,
    TextMessageTermination,
    TimeoutTermination,
    TokenUsageTermination,
)
from symposia.agentchat.messages import StructuredMessageFactory
from symposia.agentchat.teams import RoundRobinGroupChat, SelectorGroupChat, Swarm
from symposia.core import Component, ComponentBase, ComponentModel, FunctionCall, InMemoryStore
from symposia.core.code_executor import SandboxPolicy
from symposia.core.memory import ListMemory, MemoryContent, MemoryMimeType
from symposia.core.model_context import (
    BufferedChatCompletionContext,
    HeadAndTailChatCompletionContext,
    TokenLimitedChatCompletionContext,
    UnboundedChatCompletionContext,
)
from symposia.core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    ModelInfo,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import FunctionTool, StaticStreamWorkbench, StaticWorkbench, ToolOverride
from symposia.ext.code_executors.namespaces import NamespaceCommandLineCodeExecutor
from symposia.ext.models.anthropic import AnthropicChatCompletionClient
from symposia.ext.models.openai import OpenAIChatCompletionClient
from symposia.ext.models.replay import ReplayChatCompletionClient


class Invoice(BaseModel):
    """What is owed."""

    customer: str
    total: float = Field(default=0, ge=0)
    notes: list[str] = []


def look_up(word: str, times: int = 1) -> str:
    return word * times


async def wait(seconds: float) -> str:
    return str(seconds)


text = st.text(max_size=8)
name = st.from_regex(r"\A[a-z][a-z0-9_]{0,7}\Z")
count = st.integers(min_value=1, max_value=9)
seconds = st.floats(min_value=1, max_value=1e6)
usage = st.builds(RequestUsage, prompt_tokens=count, completion_tokens=count)
result = st.builds(CreateResult, finish_reason=st.just("stop"), content=text, usage=usage, cached=st.booleans())
info = st.builds(
    ModelInfo,
    vision=st.booleans(),
    function_calling=st.just(value=True),
    json_output=st.booleans(),
    family=st.sampled_from(["unknown", "gpt-4o"]),
    structured_output=st.booleans(),
)
replay = st.builds(ReplayChatCompletionClient, st.lists(text | result, max_size=3), info)
openai = st.builds(
    OpenAIChatCompletionClient,
    model=st.just("gpt-4o"),
    api_key=st.just("none"),
    temperature=st.none() | st.floats(0, 2),
    stop=st.none() | text | st.lists(text),
    model_info=info,
    default_headers=st.none() | st.dictionaries(name, name),
)
anthropic = st.builds(
    AnthropicChatCompletionClient,
    model=st.just("claude-sonnet-4-5"),
    api_key=st.just("none"),
    max_tokens=count,
    stop_sequences=st.lists(text),
    thinking=st.just({"type": "enabled", "budget_tokens": 1024}),
    model_info=info,
)
message = (
    st.builds(SystemMessage, content=text)
    | st.builds(UserMessage, content=text, source=name)
    | st.builds(AssistantMessage, content=text, source=name, thought=st.none() | text)
    | st.builds(
        AssistantMessage, content=st.lists(st.builds(FunctionCall, id=text, name=name, arguments=text)), source=name
    )
    | st.builds(
        FunctionExecutionResultMessage,
        content=st.lists(
            st.builds(FunctionExecutionResult, content=text, name=name, call_id=text, is_error=st.booleans())
        ),
    )
)
messages = st.none() | st.lists(message, max_size=3)
context = (
    st.builds(UnboundedChatCompletionContext, messages)
    | st.builds(BufferedChatCompletionContext, count, messages)
    | st.builds(HeadAndTailChatCompletionContext, count, count, messages)
    | st.builds(
        TokenLimitedChatCompletionContext,
        replay,
        token_limit=st.none() | count,
        tool_schema=st.none() | st.just([FunctionTool(look_up, description="").schema]),
    )
)
content = st.builds(
    MemoryContent,
    content=text | st.dictionaries(name, text),
    mime_type=st.sampled_from([MemoryMimeType.TEXT, MemoryMimeType.JSON, "text/x-own"]),
    metadata=st.none() | st.dictionaries(name, st.none() | text),
)
memory = st.builds(ListMemory, st.none() | name, st.none() | st.lists(content, max_size=3))
tool = st.builds(FunctionTool, st.sampled_from([look_up, wait]), text, st.none() | name)


def workbench_of(tool: FunctionTool, shown: str, *, streams: bool) -> StaticWorkbench:
    overrides = {tool.name: ToolOverride(name=f"x_{shown}", description=shown)}
    return StaticStreamWorkbench([tool], overrides) if streams else StaticWorkbench([tool], overrides)


bench = st.builds(workbench_of, tool, name, streams=st.booleans())
leaf = (
    st.builds(MaxMessageTermination, count, st.booleans())
    | st.builds(TextMentionTermination, text, st.none() | st.lists(name), include_task=st.booleans())
    | st.builds(TokenUsageTermination, count, st.none() | count, st.none() | count)
    | st.builds(TimeoutTermination, seconds | st.builds(timedelta, seconds=count))
    | st.builds(SourceMatchTermination, st.lists(name))
    | st.builds(TextMessageTermination, st.none() | name)
    | st.builds(HandoffTermination, name)
    | st.builds(FunctionCallTermination, name)
    | st.sampled_from([StopMessageTermination, ExternalTermination]).map(lambda kind: kind())
)


def both(one: TerminationCondition, other: TerminationCondition) -> TerminationCondition:
    return one & other


def either(one: TerminationCondition, other: TerminationCondition) -> TerminationCondition:
    return one | other


condition = st.recursive(
    leaf, lambda inner: st.builds(both, inner, inner) | st.builds(either, inner, inner), max_leaves=5
)
executor = st.builds(
    NamespaceCommandLineCodeExecutor,
    timeout=seconds,
    work_dir=st.none() | st.just("work"),
    policy=st.none() | st.builds(SandboxPolicy, processes=count.map(lambda more: 64 + more), cpus=seconds),
    init_command=st.none() | text,
)


def assistant(called: st.SearchStrategy[str]) -> st.SearchStrategy[AssistantAgent]:
    return st.builds(
        AssistantAgent,
        called,
        replay,
        tools=st.none() | st.just([look_up]),
        handoffs=st.lists(st.sampled_from(["ann", Handoff(target="bob", message="yours")]), unique_by=str, min_size=1),
        model_context=st.none() | context,
        description=text,
        system_message=st.none() | text,
        reflect_on_tool_use=st.none() | st.booleans(),
        memory=st.none() | st.lists(memory, max_size=2),
        metadata=st.none() | st.dictionaries(name, name),
        output_content_type=st.none() | st.just(Invoice),
    )


agent = (
    assistant(name)
    | st.builds(UserProxyAgent, name, description=text)
    | st.builds(CodeExecutorAgent, name, executor, model_client=st.none() | replay, sources=st.none() | st.lists(name))
)
cast = st.tuples(assistant(st.just("ann")), assistant(st.just("bob"))).map(list)
options: dict[str, Any] = {
    "name": st.none() | name,
    "description": st.none() | text,
    "termination_condition": st.none() | condition,
    "max_turns": st.none() | count,
    "turn_timeout": st.none() | seconds,
    "emit_team_events": st.booleans(),
}
team = (
    st.builds(RoundRobinGroupChat, cast, **options)
    | st.builds(Swarm, cast, **options)
    | st.builds(SelectorGroupChat, cast, replay, selector_prompt=name, model_context=st.none() | context)
)
factory = st.builds(StructuredMessageFactory, input_model=st.just(Invoice), format_string=st.none() | text)


def check(component: ComponentBase | Component) -> None:
    model = component.dump_component()
    text = model.model_dump_json()
    again = type(component).load_component(ComponentModel.model_validate_json(text), trust_code=True)
    assert type(again) is type(component)
    written = again.dump_component()
    written.config.pop("api_key", None)
    model.config.pop("api_key", None)
    assert written == model


def same(strategy: st.SearchStrategy[Any]) -> Callable[[], None]:
    @settings(max_examples=12, deadline=None)
    @given(strategy)
    def run(component: ComponentBase) -> None:
        check(component)

    return run


test_conditions_come_back_the_same = same(condition)
test_contexts_come_back_the_same = same(context)
test_memories_and_stores_come_back_the_same = same(memory | st.builds(InMemoryStore))
test_tools_and_workbenches_come_back_the_same = same(tool | bench)
test_executors_come_back_the_same = same(executor)
test_factories_come_back_the_same = same(factory)
test_agents_come_back_the_same = same(agent)
test_teams_come_back_the_same = same(team)


def test_replaying_clients_come_back_the_same() -> None:
    same(replay)()


def test_vendors_clients_come_back_the_same_but_for_their_keys(monkeypatch: Any) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    same(openai)()
    same(anthropic)()
