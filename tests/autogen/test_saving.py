"""Components saved under the import hook can go back to AutoGen."""

import importlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from pydantic import BaseModel

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
from symposia.agentchat.messages import StructuredMessage, StructuredMessageFactory
from symposia.agentchat.teams import RoundRobinGroupChat, SelectorGroupChat, Swarm
from symposia.core import Component, ComponentBase, ComponentLoader, InMemoryStore, SingleThreadedAgentRuntime
from symposia.core.memory import ListMemory, MemoryContent, MemoryMimeType
from symposia.core.model_context import (
    BufferedChatCompletionContext,
    HeadAndTailChatCompletionContext,
    TokenLimitedChatCompletionContext,
    UnboundedChatCompletionContext,
)
from symposia.core.models import ModelInfo, UserMessage
from symposia.core.tools import FunctionTool, StaticStreamWorkbench, StaticWorkbench
from symposia.ext.code_executors.local import LocalCommandLineCodeExecutor
from symposia.ext.code_executors.namespaces import NamespaceCommandLineCodeExecutor
from symposia.ext.models.anthropic import AnthropicChatCompletionClient
from symposia.ext.models.openai import OpenAIChatCompletionClient
from symposia.ext.models.replay import ReplayChatCompletionClient

pytestmark = pytest.mark.filterwarnings("ignore:LocalCommandLineCodeExecutor runs code on this machine")

AUTOGEN = "SYMPOSIA_AUTOGEN_PYTHON"
"""The environment variable that names the interpreter of an environment with AutoGen 0.7.5."""

LOADER = """
import json, sys, warnings
from autogen_core import ComponentLoader
warnings.simplefilter("ignore")
for line in sys.stdin:
    component = ComponentLoader.load_component(json.loads(line))
    print(type(component).__module__.partition("_")[0], type(component).__name__)
"""
REQUIRED = {
    "AssistantAgent": {
        "name",
        "model_client",
        "description",
        "reflect_on_tool_use",
        "tool_call_summary_format",
    },
    "CodeExecutorAgent": {"name", "code_executor"},
    "UserProxyAgent": {"name"},
    "RoundRobinGroupChat": {"participants"},
    "SelectorGroupChat": {"participants", "model_client", "selector_prompt", "allow_repeated_speaker"},
    "Swarm": {"participants"},
    "MaxMessageTermination": {"max_messages"},
    "TextMentionTermination": {"text"},
    "TokenUsageTermination": {"max_total_token", "max_prompt_token", "max_completion_token"},
    "HandoffTermination": {"target"},
    "TimeoutTermination": {"timeout_seconds"},
    "SourceMatchTermination": {"sources"},
    "FunctionCallTermination": {"function_name"},
    "AndTerminationCondition": {"conditions"},
    "OrTerminationCondition": {"conditions"},
    "FunctionTool": {"source_code", "name", "description", "global_imports", "has_cancellation_support"},
    "BufferedChatCompletionContext": {"buffer_size"},
    "TokenLimitedChatCompletionContext": {"model_client"},
    "HeadAndTailChatCompletionContext": {"head_size", "tail_size"},
    "OpenAIChatCompletionClient": {"model"},
    "AnthropicChatCompletionClient": {"model"},
    "ReplayChatCompletionClient": {"chat_completions"},
    "StructuredMessageFactory": {"json_schema", "content_model_name"},
}
"""The fields without which AutoGen 0.7.5 does not load a configuration."""
INFO = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True)


class Review(BaseModel):
    verdict: Literal["ok", "bad"]
    kinds: list[Literal["style", "sense"]] = []


def weather(city: str, days: int = 1) -> str:
    return f"sunny in {city} for {days}"


def is_over(messages: object) -> str:
    return json.dumps(messages)


def saved_in(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The providers in a dumped component, with their configurations."""
    if isinstance(value, dict):
        values = cast("dict[str, Any]", value)
        if "provider" in values:
            yield values["provider"], values["config"]
        for each in values.values():
            yield from saved_in(each)
    elif isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from saved_in(each)


def replay() -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient(["hello"], INFO)


def assistant(name: str = "ann", **options: Any) -> AssistantAgent:
    return AssistantAgent(name, replay(), **options)


def limits() -> TerminationCondition:
    return (MaxMessageTermination(3) | TextMentionTermination("DONE", sources=["ann"])) & TimeoutTermination(9)


def swarm() -> list[AssistantAgent]:
    return [assistant("ann", handoffs=["bob"]), assistant("bob", handoffs=[Handoff(target="ann", name="to_ann")])]


MESSAGE = StructuredMessage[Review]
TOOL = FunctionTool(weather, description="The weather.")
COMPONENTS: dict[str, Callable[[], ComponentBase | Component]] = {
    "assistant": assistant,
    "assistant with everything": lambda: assistant(
        tools=[weather, FunctionTool(is_over, description="Over?")],
        handoffs=["bob", Handoff(target="cid")],
        model_context=BufferedChatCompletionContext(5),
        system_message=None,
        reflect_on_tool_use=True,
        max_tool_iterations=2,
        memory=[ListMemory("m", [MemoryContent(content="tea", mime_type=MemoryMimeType.TEXT)])],
        metadata={"a": "b"},
    ),
    "assistant with a workbench": lambda: assistant(workbench=StaticWorkbench([TOOL])),
    "assistant with workbenches": lambda: assistant(workbench=[StaticWorkbench([TOOL])]),
    "assistant with a schema": lambda: assistant(output_content_type=Review, output_content_type_format="{verdict}"),
    "person": lambda: UserProxyAgent("user", description="A user", input_func=input),
    "coder": lambda: CodeExecutorAgent("coder", LocalCommandLineCodeExecutor(work_dir="work"), model_client=replay()),
    "round robin": lambda: RoundRobinGroupChat([assistant()], name="t", termination_condition=limits(), max_turns=2),
    "round robin in a runtime": lambda: RoundRobinGroupChat([assistant()], runtime=SingleThreadedAgentRuntime()),
    "round robin of teams": lambda: RoundRobinGroupChat(
        [RoundRobinGroupChat([assistant()], name="inner"), assistant("bob")]
    ),
    "round robin with messages": lambda: RoundRobinGroupChat(
        [assistant()], custom_message_types=[StructuredMessage[Review]]
    ),
    "selector": lambda: SelectorGroupChat([assistant(), assistant("bob")], replay(), emit_team_events=True),
    "swarm": lambda: Swarm(swarm(), custom_message_types=[MESSAGE]),
    "and, or": limits,
    "external": ExternalTermination,
    "stop": StopMessageTermination,
    "function call": lambda: FunctionCallTermination("f"),
    "handoff": lambda: HandoffTermination("ann"),
    "source": lambda: SourceMatchTermination(["ann"]),
    "text": lambda: TextMessageTermination("ann"),
    "tokens": lambda: TokenUsageTermination(max_total_token=5),
    "tail": lambda: HeadAndTailChatCompletionContext(1, 2),
    "tokens of a context": lambda: TokenLimitedChatCompletionContext(replay(), token_limit=9),
    "unbounded": lambda: UnboundedChatCompletionContext([UserMessage(content="Hi.", source="user")]),
    "memory": lambda: ListMemory("m", [MemoryContent(content={"a": 1}, mime_type=MemoryMimeType.JSON)]),
    "store": InMemoryStore[str],
    "tool": lambda: TOOL,
    "workbench": lambda: StaticStreamWorkbench([TOOL]),
    "factory": lambda: StructuredMessageFactory(input_model=Review),
    "openai": lambda: OpenAIChatCompletionClient(model="gpt-4o", temperature=0.5),
    "anthropic": lambda: AnthropicChatCompletionClient(model="claude-sonnet-4-5", max_tokens=9),
    "local": lambda: LocalCommandLineCodeExecutor(work_dir="work", timeout=9),
}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", COMPONENTS)
def test_n06_under_the_hook_autogens_names_are_saved_and_load_again(name: str) -> None:
    component = COMPONENTS[name]()
    model = component.dump_component()
    assert model.provider.startswith("autogen_")
    assert "symposia" not in model.model_dump_json()
    again = ComponentLoader.load_component(model, Component, trust_code=True)
    assert type(again) is type(component)
    assert again.dump_component() == model


def test_a_tool_whose_function_runs_in_a_sandbox_is_saved_under_autogens_name() -> None:
    model = TOOL.dump_component()
    assert ComponentLoader.load_component(model, Component).dump_component() == model


@pytest.mark.parametrize("name", COMPONENTS)
def test_n06_what_is_saved_has_the_fields_that_autogen_requires(name: str) -> None:
    for provider, config in saved_in(COMPONENTS[name]().dump_component().model_dump()):
        assert config.keys() >= REQUIRED.get(provider.rpartition(".")[2], set()), provider


if AUTOGEN in os.environ:

    def test_n06_what_is_saved_loads_in_autogen(tmp_path: Path) -> None:
        lines = "\n".join(make().dump_component().model_dump_json() for make in COMPONENTS.values())
        run = (os.environ[AUTOGEN], "-c", LOADER)
        done = subprocess.run(run, input=lines, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        expected = [f"autogen {type(make()).__name__}" for make in COMPONENTS.values()]
        assert done.stdout.splitlines() == expected


def test_n06_a_class_that_autogen_lacks_keeps_our_name() -> None:
    ours = NamespaceCommandLineCodeExecutor(work_dir="work").dump_component()
    assert ours.provider == "symposia.ext.code_executors.namespaces.NamespaceCommandLineCodeExecutor"


def test_n06_without_the_hook_our_names_are_saved() -> None:
    importlib.import_module("symposia.autogen").uninstall()
    assert '"provider":"autogen' not in COMPONENTS["assistant with everything"]().dump_component().model_dump_json()
