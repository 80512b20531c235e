import asyncio
import pickle
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from pydantic import BaseModel
from tests.support.agents import WAIT, StartedRuntime, started
from tests.support.chat_agents import RecordingHandler

from symposia.core import AgentId, CancellationToken, FunctionCall, SingleThreadedAgentRuntime
from symposia.core.effects import ask_human, handle_effects
from symposia.core.exceptions import AgentError, HumanInputError, InvalidArgumentError
from symposia.core.models import FunctionExecutionResult
from symposia.core.tool_agent import (
    InvalidToolArgumentsException,
    ToolAgent,
    ToolException,
    ToolExecutionException,
    ToolNotFoundException,
)
from symposia.core.tools import BaseTool, BaseToolWithState, FunctionTool, Tool, ToolRequest

TOOLS = AgentId("tools", "default")


def add(a: int, b: int) -> int:
    return a + b


def fail(text: str) -> None:
    raise LookupError(text)


def now() -> str:
    return "noon"


class Waiting(BaseTool[BaseModel, str]):
    """A tool that waits until so many calls are in it, and then until it is let go on."""

    class Args(BaseModel):
        pass

    def __init__(self, calls: int = 1) -> None:
        super().__init__(self.Args, str, "wait", "waits")
        self._barrier = asyncio.Barrier(calls)
        self.all_here = asyncio.Event()
        self.let_go = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> str:
        try:
            await self._barrier.wait()
            self.all_here.set()
            await self.let_go.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return "waited"


class Count(BaseModel):
    count: int = 0


class Counter(BaseToolWithState[BaseModel, int, Count]):
    class Args(BaseModel):
        pass

    def __init__(self) -> None:
        super().__init__(self.Args, int, Count, "count", "counts its calls")
        self.count = 0

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> int:
        self.count += 1
        return self.count

    def save_state(self) -> Count:
        return Count(count=self.count)

    def load_state(self, state: Count) -> None:
        self.count = state.count


async def add_tools(runtime: StartedRuntime, *tools: Tool) -> None:
    await ToolAgent.register(runtime, "tools", lambda: ToolAgent("runs tools", list(tools)))


@pytest.fixture
async def runtime() -> AsyncGenerator[StartedRuntime]:
    runtime = SingleThreadedAgentRuntime()
    async with started(runtime):
        yield runtime


def called(name: str, arguments: str = "{}", call_id: str = "1") -> FunctionCall:
    return FunctionCall(id=call_id, name=name, arguments=arguments)


async def test_a_call_is_answered_with_the_tools_result(runtime: StartedRuntime) -> None:
    await add_tools(runtime, FunctionTool(add, "adds"))
    result = await runtime.send_message(called("add", '{"a": 1, "b": 2}', "c7"), TOOLS)
    assert result == FunctionExecutionResult(content="3", name="add", call_id="c7", is_error=False)


@pytest.mark.parametrize("arguments", ["{}", "", "  "])
async def test_a_tool_without_arguments_can_be_called_with_none(runtime: StartedRuntime, arguments: str) -> None:
    await add_tools(runtime, FunctionTool(now, "tells the time"))
    assert (await runtime.send_message(called("now", arguments), TOOLS)).content == "noon"


async def test_an_unknown_tool_is_named_with_those_that_there_are(runtime: StartedRuntime) -> None:
    await add_tools(runtime, FunctionTool(add, "adds"), FunctionTool(now, "tells the time"))
    with pytest.raises(ToolNotFoundException) as caught:
        await runtime.send_message(called("subtract"), TOOLS)
    assert (caught.value.name, caught.value.call_id) == ("subtract", "1")
    assert caught.value.content == "Error: Tool not found: subtract. The tools are: add, now."


@pytest.mark.parametrize(
    ("arguments", "faults"),
    [
        ('{"a": 1, ', ["That is not JSON", "EOF while parsing"]),
        ("[1, 2]", ["That is not a JSON object"]),
        ('{"a":' + "[" * 5000, ["That is not JSON", "recursion limit"]),
        ('{"a": "one"}', ["- a: Input should be a valid integer", "- b: Field required"]),
    ],
)
async def test_wrong_arguments_name_the_tool_the_field_and_the_schema(
    runtime: StartedRuntime, arguments: str, faults: list[str]
) -> None:
    await add_tools(runtime, FunctionTool(add, "adds"))
    with pytest.raises(InvalidToolArgumentsException) as caught:
        await runtime.send_message(called("add", arguments), TOOLS)
    content = caught.value.content
    assert content.startswith("Error: Invalid arguments: ")
    for text in [*faults, "'add'", '"required": ["a", "b"]']:
        assert text in content
    assert caught.value.__cause__ is not None or "object" in content


async def test_what_a_tool_raises_reaches_the_caller_with_its_cause(runtime: StartedRuntime) -> None:
    await add_tools(runtime, FunctionTool(fail, "fails"))
    with pytest.raises(ToolExecutionException) as caught:
        await runtime.send_message(called("fail", '{"text": "no such page"}'), TOOLS)
    assert caught.value.content == "Error: no such page"
    assert isinstance(caught.value.__cause__, LookupError)


async def test_calls_are_handled_at_the_same_time(runtime: StartedRuntime) -> None:
    tool = Waiting(calls=3)
    tool.let_go.set()
    await add_tools(runtime, tool)
    results = await asyncio.gather(*(runtime.send_message(called("wait", call_id=str(i)), TOOLS) for i in range(3)))
    assert [result.call_id for result in results] == ["0", "1", "2"]


async def test_cancelling_ends_the_tool(runtime: StartedRuntime) -> None:
    tool = Waiting()
    await add_tools(runtime, tool)
    token = CancellationToken()
    waiting = asyncio.ensure_future(runtime.send_message(called("wait"), TOOLS, cancellation_token=token))
    async with asyncio.timeout(WAIT):
        await tool.all_here.wait()
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await tool.cancelled.wait()


async def test_every_call_is_an_effect(runtime: StartedRuntime) -> None:
    await add_tools(runtime, FunctionTool(add, "adds"))
    handler = RecordingHandler()
    with handle_effects(handler):
        await runtime.send_message(called("add", '{"a": 1, "b": 2}'), TOOLS)
    assert handler.seen == ["tool:add tool"]
    assert isinstance(request := handler.effects[0].request, ToolRequest)
    assert (request.name, request.arguments, request.workbench["type"]) == ("add", {"a": 1, "b": 2}, "tools")


async def test_a_transparent_tool_is_no_effect_and_what_it_does_is(runtime: StartedRuntime) -> None:
    async def ask(question: str) -> str:
        answer = await ask_human(answered_yes, question)
        return answer.text

    async def answered_yes(question: str) -> str:
        return "yes"

    await add_tools(runtime, FunctionTool(ask, "asks", transparent=True))
    handler = RecordingHandler()
    with handle_effects(handler):
        await runtime.send_message(called("ask", '{"question": "well?"}'), TOOLS)
    assert handler.seen == ["tool:ask human"]


async def test_a_person_who_cannot_be_asked_is_no_failure_of_the_tool(runtime: StartedRuntime) -> None:
    async def ask(question: str) -> str:
        return (await ask_human(lambda _: None, question)).text  # pyright: ignore[reportArgumentType] - no answer

    await add_tools(runtime, FunctionTool(ask, "asks"))
    with pytest.raises(HumanInputError, match="the reply is None"):
        await runtime.send_message(called("ask", '{"question": "well?"}'), TOOLS)


async def test_the_tools_states_are_saved_and_restored(runtime: StartedRuntime) -> None:
    await add_tools(runtime, Counter(), FunctionTool(add, "adds"))
    await runtime.send_message(called("count"), TOOLS)
    state = await runtime.save_state()
    other = SingleThreadedAgentRuntime()
    await add_tools(other, Counter())
    async with started(other):
        await other.load_state(state)
        assert (await other.send_message(called("count"), TOOLS)).content == "2"


def test_the_tools_can_be_asked_for() -> None:
    tools: list[Tool] = [FunctionTool(add, "adds"), Counter()]
    assert ToolAgent("runs tools", tools).tools == tools


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="Two tools are named 'add'"):
        ToolAgent("runs tools", [FunctionTool(add, "adds"), FunctionTool(add, "adds again")])


@pytest.mark.parametrize("cls", [ToolNotFoundException, InvalidToolArgumentsException, ToolExecutionException])
def test_errors_are_of_one_family_say_which_tool_and_can_be_pickled(cls: type[ToolException]) -> None:
    error = cls(call_id="c1", content="Error: no", name="add")
    assert isinstance(error, ToolException)
    assert isinstance(error, AgentError)
    assert str(error) == "Tool 'add', call 'c1': Error: no"
    copy: Any = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.call_id, copy.content, copy.name) == (cls, "c1", "Error: no", "add")
