import asyncio
import threading
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest
from pydantic import BaseModel
from tests.support.chat_agents import (
    ABLE,
    PIXEL,
    SEEING,
    USAGE,
    RecordingHandler,
    asks_for,
    collected,
    dangling_calls,
    kinds,
    model,
    says,
    shown,
)
from tests.support.journal import Journal

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.messages import (
    StructuredMessage,
    TextMessage,
    ThoughtEvent,
    ToolCallExecutionEvent,
    ToolCallSummaryMessage,
)
from symposia.agentchat.tools import FunctionTool
from symposia.core import CancellationToken, FunctionCall
from symposia.core.effects import handle_effects
from symposia.core.exceptions import ModelError, UsageError
from symposia.core.models import (
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    RequestUsage,
)
from symposia.core.tools import (
    TOOL_EFFECT,
    BaseStreamTool,
    ImageResultContent,
    StaticStreamWorkbench,
    StaticWorkbench,
    TextResultContent,
    Tool,
    ToolResult,
    ToolSchema,
)
from symposia.ext.models.replay import ReplayChatCompletionClient

WAIT = 10


class Sum(BaseModel):
    total: int


async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def fail(reason: str) -> str:
    """Fail."""
    raise RuntimeError(f"it broke: {reason}")


async def test_results_are_the_answer_when_the_agent_does_not_reflect() -> None:
    result = await AssistantAgent("ann", model(asks_for(("add", '{"a": 1, "b": 2}'))), tools=[add]).run(task="1+2?")

    assert kinds(result.messages) == [
        "TextMessage",
        "ToolCallRequestEvent",
        "ToolCallExecutionEvent",
        "ToolCallSummaryMessage",
    ]
    assert isinstance(answer := result.messages[-1], ToolCallSummaryMessage)
    assert answer.content == "3"
    assert answer.results == [FunctionExecutionResult(content="3", name="add", call_id="0", is_error=False)]


class ClientWithoutToolChoice(ReplayChatCompletionClient):
    """As clients were written before the contract had `tool_choice`."""

    async def create(  # type: ignore[override]  # what it lacks is the point
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        json_output: bool | type[BaseModel] | None = None,
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        return await super().create(messages, tools=tools, json_output=json_output)


async def test_a_client_from_before_tool_choice_works() -> None:
    client = ClientWithoutToolChoice([asks_for(("add", '{"a": 1, "b": 2}'))], model_info=ABLE)

    assert (await AssistantAgent("ann", client, tools=[add]).run(task="1+2?")).messages[-1].to_text() == "3"


async def test_the_model_reflects_on_results_with_the_same_tools_of_which_it_may_call_none() -> None:
    client = model(asks_for(("add", '{"a": 1, "b": 2}')), says("It is 3.", thought="so"))
    result = await AssistantAgent("ann", client, tools=[add], reflect_on_tool_use=True).run(task="1+2?")

    assert kinds(result.messages)[-2:] == ["ThoughtEvent", "TextMessage"]
    assert result.messages[-1].to_text() == "It is 3."
    assert client.create_calls[1]["tools"] == client.create_calls[0]["tools"] != []
    assert client.create_calls[1].get("tool_choice") == "none"
    assert isinstance(shown(client)[-1], FunctionExecutionResultMessage)


async def test_a_model_that_asks_for_tools_while_it_reflects_is_asked_again_without_any() -> None:
    call = asks_for(("add", '{"a": 1, "b": 2}'))
    client = model(call, call, says("It is 3."))
    result = await AssistantAgent("ann", client, tools=[add], reflect_on_tool_use=True).run(task="1+2?")

    assert kinds(result.messages)[-2:] == ["OutputRejectedEvent", "TextMessage"]
    assert (client.create_calls[2]["tools"], client.create_calls[2].get("tool_choice")) == ([], "none")
    assert shown(client, 2) == shown(client, 1)
    spent = sum((each.models_usage for each in result.messages if each.models_usage), RequestUsage(0, 0))
    assert spent == RequestUsage(3 * USAGE.prompt_tokens, 3 * USAGE.completion_tokens)


async def test_a_model_that_asks_for_tools_without_having_any_is_an_error_and_the_agent_can_go_on() -> None:
    call = asks_for(("add", '{"a": 1, "b": 2}'))
    agent = AssistantAgent("ann", model(call, call, call, says("3")), tools=[add], reflect_on_tool_use=True)

    with pytest.raises(ModelError, match=r"Agent 'ann'.*add"):
        await agent.run(task="1+2?")

    assert (await agent.run()).messages[-1].to_text() == "3"


async def test_the_model_may_call_tools_in_several_rounds() -> None:
    client = model(asks_for(("add", '{"a": 1, "b": 2}')), asks_for(("add", '{"a": 3, "b": 3}')), says("It is 6."))

    result = await AssistantAgent("ann", client, tools=[add], max_tool_iterations=5).run(task="go")

    assert kinds(result.messages)[1:] == ["ToolCallRequestEvent", "ToolCallExecutionEvent"] * 2 + ["TextMessage"]


async def test_the_last_rounds_results_are_the_answer_when_the_rounds_are_used_up() -> None:
    client = model(asks_for(("add", '{"a": 1, "b": 2}')), asks_for(("add", '{"a": 3, "b": 3}')), says("never asked"))

    result = await AssistantAgent("ann", client, tools=[add], max_tool_iterations=2).run(task="go")

    assert result.messages[-1].to_text() == "6"


async def test_structured_answers_and_tools_go_together() -> None:
    client = model(asks_for(("add", '{"a": 1, "b": 2}')), says('{"total": 3}'))

    result = await AssistantAgent("ann", client, tools=[add], output_content_type=Sum).run(task="go")

    assert isinstance(answer := result.messages[-1], StructuredMessage)
    assert answer.dump()["content"] == {"total": 3}


async def test_calls_of_one_answer_run_at_the_same_time_and_results_keep_their_order() -> None:
    both = asyncio.Barrier(2)

    async def meet(name: str) -> str:
        """Wait for the other one."""
        await both.wait()
        return name

    agent = AssistantAgent("ann", model(asks_for(("meet", '{"name": "x"}'), ("meet", '{"name": "y"}'))), tools=[meet])

    async with asyncio.timeout(WAIT):
        result = await agent.run(task="go")

    assert result.messages[-1].to_text() == "x\ny"


async def test_a_plain_function_runs_in_a_worker_thread() -> None:
    threads: list[threading.Thread] = []

    def where() -> str:
        """Tell the thread."""
        threads.append(threading.current_thread())
        return "here"

    await AssistantAgent("ann", model(asks_for(("where", ""))), tools=[where]).run(task="go")

    assert threads != [threading.main_thread()]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (("add", '{"a": 1}'), ["add", "b", "Field required", '"required": ["a", "b"]']),
        (("add", '{"a": 1'), ["add", "EOF while parsing", '"required": ["a", "b"]']),
        (("add", "[1, 2]"), ["add", "not a JSON object. You wrote: [1, 2]", '"required": ["a", "b"]']),
        (("add", ""), ["add", "Field required"]),
        (("sub", "{}"), ["There is no tool 'sub'. The tools are: add, fail."]),
        (("fail", '{"reason": "rain"}'), ["it broke: rain"]),
    ],
    ids=["missing argument", "broken JSON", "no object", "nothing", "unknown tool", "tool raises"],
)
async def test_what_goes_wrong_with_a_call_is_told_to_the_model_and_the_turn_goes_on(
    call: tuple[str, str], told: list[str]
) -> None:
    agent = AssistantAgent("ann", model(asks_for(call), says("sorry")), tools=[add, fail], reflect_on_tool_use=True)

    result = await agent.run(task="go")

    assert isinstance(event := result.messages[2], ToolCallExecutionEvent)
    assert event.content[0].is_error
    for text in told:
        assert text in event.content[0].content
    assert result.messages[-1].to_text() == "sorry"


async def test_a_thought_comes_before_the_calls_and_stays_with_them() -> None:
    agent = AssistantAgent("ann", model(asks_for(("add", '{"a": 1, "b": 2}'), thought="add them")), tools=[add])

    result = await agent.run(task="go")

    assert kinds(result.messages)[1:3] == ["ThoughtEvent", "ToolCallRequestEvent"]
    assert getattr((await agent.model_context.get_messages())[1], "thought", None) == "add them"


async def test_a_summary_reads_as_its_template_says() -> None:
    client = model(asks_for(("add", '{"a": 1, "b": 2}'), ("fail", '{"reason": "x"}')))
    agent = AssistantAgent(
        "ann", client, tools=[add, fail], tool_call_summary_format="{tool_name}({arguments})={result}, {is_error}"
    )

    text = (await agent.run(task="go")).messages[-1].to_text()

    assert text == 'add({"a": 1, "b": 2})=3, False\nfail({"reason": "x"})=it broke: x, True'


async def test_a_summary_reads_as_its_function_says() -> None:
    def summary(call: FunctionCall, result: FunctionExecutionResult) -> str:
        return f"{call.name} gave {result.content}"

    client = model(asks_for(("add", '{"a": 1, "b": 2}')))
    agent = AssistantAgent("ann", client, tools=[add], tool_call_summary_formatter=summary)

    assert (await agent.run(task="go")).messages[-1].to_text() == "add gave 3"


async def test_a_plain_summary_runs_in_a_worker_thread_and_an_asynchronous_one_on_the_event_loop() -> None:
    def plain(call: FunctionCall, result: FunctionExecutionResult) -> str:
        return threading.current_thread().name

    async def asynchronous(call: FunctionCall, result: FunctionExecutionResult) -> str:
        return threading.current_thread().name

    names: list[str] = []
    for summary in (plain, asynchronous):
        client = model(asks_for(("add", '{"a": 1, "b": 2}')))
        agent = AssistantAgent("ann", client, tools=[add], tool_call_summary_formatter=summary)
        names.append((await agent.run(task="go")).messages[-1].to_text())

    here = threading.current_thread().name
    assert [name == here for name in names] == [False, True]


async def test_tools_come_from_several_workbenches() -> None:
    client = model(asks_for(("add", '{"a": 1, "b": 2}'), ("twice", '{"a": 2}')))

    async def twice(a: int) -> int:
        return a * 2

    workbenches = [StaticWorkbench([FunctionTool(f, description=f.__name__)]) for f in (add, twice)]

    result = await AssistantAgent("ann", client, workbench=workbenches).run(task="go")

    assert result.messages[-1].to_text() == "3\n4"


async def test_two_workbenches_with_a_tool_of_one_name_are_an_error() -> None:
    workbenches = [StaticWorkbench([FunctionTool(add, description="Add.")]) for _ in range(2)]

    with pytest.raises(UsageError, match=r"'ann'.*two tools of one name.*add"):
        await AssistantAgent("ann", model(says("hi")), workbench=workbenches).run(task="go")


class Unreliable(StaticWorkbench):
    """Breaks its contract: it raises."""

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        raise ConnectionError("the server is gone")


async def test_a_workbench_that_raises_is_told_to_the_model() -> None:
    workbench = Unreliable([FunctionTool(add, description="Add.")])

    result = await AssistantAgent("ann", model(asks_for(("add", "{}"))), workbench=workbench).run(task="go")

    assert result.messages[-1].to_text() == "the server is gone"


class Count(BaseModel):
    to: int


class Counter(BaseStreamTool[Count, TextMessage | ThoughtEvent, int]):
    def __init__(self) -> None:
        super().__init__(Count, int, "count", "Count.")

    async def run(self, args: Count, cancellation_token: CancellationToken) -> int:
        return args.to

    async def run_stream(
        self, args: Count, cancellation_token: CancellationToken
    ) -> AsyncGenerator[TextMessage | ThoughtEvent | int, None]:
        for number in range(args.to):
            yield ThoughtEvent(content=str(number), source="counter")
        yield args.to


async def test_what_a_tool_shows_while_it_runs_is_part_of_the_stream() -> None:
    agent = AssistantAgent("ann", model(asks_for(("count", '{"to": 2}'))), tools=[Counter()])

    items = await collected(agent.run_stream(task="go"))

    assert kinds(items)[1:-2] == ["ToolCallRequestEvent", "ThoughtEvent", "ThoughtEvent", "ToolCallExecutionEvent"]
    assert isinstance(answer := items[-2], ToolCallSummaryMessage)
    assert answer.content == "2"


class Camera(StaticWorkbench):
    """Its tool gives a picture."""

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        return ToolResult(name=name, result=[TextResultContent(content="click"), ImageResultContent(content=PIXEL)])


@pytest.mark.parametrize("sees", [True, False], ids=["seeing", "blind"])
async def test_a_picture_from_a_tool_is_shown_to_a_model_that_sees(sees: bool) -> None:
    client = model(asks_for(("add", "{}")), says("a dot"), info=SEEING if sees else ABLE)
    camera = Camera([FunctionTool(add, description="")])

    await AssistantAgent("ann", client, workbench=camera, max_tool_iterations=2).run(task="look")

    result = FunctionExecutionResult(content="click\n<image>", name="add", call_id="0", is_error=False)
    pictures = [message.content[1:] for message in shown(client) if isinstance(message.content, list)]
    assert FunctionExecutionResultMessage(content=[result]) in shown(client)
    assert ([PIXEL] in pictures) is sees


async def test_every_tool_call_is_an_effect_in_a_scope_of_its_own() -> None:
    handler = RecordingHandler()
    client = model(asks_for(("add", '{"a": 1, "b": 2}'), ("add", '{"a": 3, "b": 4}')))

    with handle_effects(handler):
        await AssistantAgent("ann", client, tools=[add]).run(task="go")

    assert handler.seen == ["agent:ann model", "agent:ann/tool:add.0 tool", "agent:ann/tool:add.1 tool"]


async def test_a_transparent_tool_is_no_effect_and_its_scope_has_those_of_the_agent_inside() -> None:
    inner = AssistantAgent("inner", model(says("four")))

    async def ask(question: str) -> str:
        """Ask an expert."""
        return (await inner.run(task=question)).messages[-1].to_text()

    expert = FunctionTool(ask, "Ask an expert.", transparent=True)
    handler = RecordingHandler()
    with handle_effects(handler):
        await AssistantAgent("ann", model(asks_for(("ask", '{"question": "2+2?"}'))), tools=[expert]).run(task="go")

    assert handler.seen == ["agent:ann model", "agent:ann/tool:ask.0/agent:inner model"]


class ServedTools(StaticWorkbench):
    """Tools whose list comes from a server, which can be stopped."""

    is_static = False
    stopped = False

    async def list_tools(self) -> list[ToolSchema]:
        if self.stopped:
            raise ConnectionError("the server is gone")
        return await super().list_tools()


async def test_the_list_of_a_remote_workbench_is_an_effect_so_that_a_replay_needs_no_server() -> None:
    workbench = ServedTools([FunctionTool(add, "Add.")])
    calls = [asks_for(("add", '{"a": 1, "b": 2}')), says("three")]
    journal = Journal()
    for _ in range(2):
        agent = AssistantAgent("ann", model(*calls), workbench=workbench, max_tool_iterations=2)
        with handle_effects(journal):
            answer = (await agent.run(task="1+2?")).messages[-1]
        assert answer.to_text() == "three"
        workbench.stopped = True
    assert journal.performed == [
        "agent:ann tool_list",
        "agent:ann model",
        "agent:ann/tool:add.0 tool",
        "agent:ann tool_list",
        "agent:ann model",
    ]


class BrokenHandler(RecordingHandler):
    async def handle(self, effect: Any, proceed: Any) -> Any:
        if effect.kind is TOOL_EFFECT:
            raise LookupError("not recorded")
        return await super().handle(effect, proceed)


@pytest.mark.parametrize("stream", [False, True], ids=["call", "stream"])
async def test_an_error_of_an_effect_handler_ends_the_turn_and_every_call_has_a_result(stream: bool) -> None:
    call = ("add", '{"a": 1, "b": 2}')
    workbench = StaticStreamWorkbench if stream else StaticWorkbench
    agent = AssistantAgent("ann", model(asks_for(call, call)), workbench=workbench([FunctionTool(add, "Add.")]))

    with handle_effects(BrokenHandler()), pytest.raises(LookupError, match="not recorded"):
        await agent.run(task="go")

    assert not dangling_calls(await agent.model_context.get_messages())
