import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

import pytest
from pydantic import BaseModel

from symposia.core import CancellationToken, Image
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.tools import (
    BaseStreamTool,
    BaseTool,
    BaseToolWithState,
    FunctionTool,
    ImageResultContent,
    StaticStreamWorkbench,
    StaticWorkbench,
    TextResultContent,
    ToolOverride,
    ToolResult,
    ToolSchema,
    call_tool,
)

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAC0lEQVR4nGNgQAYAAA4AAamRc7EAAAAASUVORK5CYII="


class Steps(BaseModel):
    steps: int


class Count(BaseModel):
    count: int = 0


class Counter(BaseToolWithState[Steps, Count, Count]):
    def __init__(self) -> None:
        super().__init__(Steps, Count, Count, "count", "Counts.")
        self.count = 0

    async def run(self, args: Steps, cancellation_token: CancellationToken) -> Count:
        self.count += args.steps
        return Count(count=self.count)

    def save_state(self) -> Count:
        return Count(count=self.count)

    def load_state(self, state: Count) -> None:
        self.count = state.count


class Walk(BaseStreamTool[Steps, str, Any]):
    """Shows a word a step; fails after `fails_after` of them, if ever; waits for `gate` before each but the first."""

    def __init__(
        self, return_type: type[Any] = Count, *, fails_after: int | None = None, gate: asyncio.Event | None = None
    ) -> None:
        super().__init__(Steps, return_type, "walk", "Walks.")
        self.fails_after = fails_after
        self.gate = gate
        self.is_closed = False

    async def run(self, args: Steps, cancellation_token: CancellationToken) -> Any:
        return Count(count=args.steps)

    async def run_stream(self, args: Steps, cancellation_token: CancellationToken) -> AsyncGenerator[Any, None]:
        try:
            for step in range(args.steps):
                if step == self.fails_after:
                    raise RuntimeError("stumbled")
                if step and self.gate:
                    await self.gate.wait()
                yield f"step {step}"
            yield Count(count=args.steps) if self.return_type() is Count else "there"
        finally:
            self.is_closed = True


def add(a: int, b: int = 1) -> int:
    return a + b


def fail(error: str) -> None:
    raise {
        "text": ValueError("it broke"),
        "none": LookupError(),
        "many": ExceptionGroup("g", [OSError("x"), OSError()]),
    }[error]


def workbench(**overrides: ToolOverride) -> StaticWorkbench:
    tools: list[BaseTool[Any, Any]] = [
        FunctionTool(add, description="Adds."),
        FunctionTool(fail, description="Fails."),
        Counter(),
    ]
    return StaticWorkbench(tools, overrides)


def text_result(name: str, text: str, *, is_error: bool = False) -> ToolResult:
    return ToolResult(name=name, result=[TextResultContent(content=text)], is_error=is_error)


def names(schemas: list[ToolSchema]) -> list[str]:
    return [schema["name"] for schema in schemas]


async def stream(bench: StaticStreamWorkbench, name: str, **arguments: object) -> list[Any]:
    async with asyncio.timeout(5):
        return [item async for item in bench.call_tool_stream(name, arguments)]


async def test_the_tools_are_listed_in_order_with_their_schemas() -> None:
    schemas = await workbench().list_tools()
    assert names(schemas) == ["add", "fail", "count"]
    assert schemas[0] == FunctionTool(add, description="Adds.").schema


async def test_a_call_gives_a_result() -> None:
    assert await workbench().call_tool("add", {"a": 2, "b": 3}, CancellationToken(), "1") == text_result("add", "5")


async def test_a_call_without_arguments_takes_the_defaults() -> None:
    bench = StaticWorkbench([FunctionTool(lambda: "ready", description="", name="ready")])
    assert await bench.call_tool("ready") == text_result("ready", "ready")


@pytest.mark.parametrize(("error", "text"), [("text", "it broke"), ("none", "LookupError"), ("many", "x\nOSError")])
async def test_a_tool_that_fails_gives_a_result_that_says_how(error: str, text: str) -> None:
    assert await workbench().call_tool("fail", {"error": error}) == text_result("fail", text, is_error=True)


async def test_wrong_arguments_give_a_result_that_explains_them() -> None:
    result = await workbench().call_tool("add", {"b": 1})
    assert result.is_error
    assert result.to_text().startswith("Wrong arguments for the tool 'add':\n- a: Field required\n")


async def test_a_tool_that_is_not_there_gives_a_result_that_says_so() -> None:
    assert await workbench().call_tool("fly") == text_result("fly", "Tool fly not found.", is_error=True)


async def test_cancelling_the_token_ends_a_call() -> None:
    started = asyncio.Event()

    async def wait() -> None:
        started.set()
        await asyncio.Event().wait()

    token = CancellationToken()
    bench = StaticWorkbench([FunctionTool(wait, description="")])
    async with asyncio.timeout(5):
        running = asyncio.ensure_future(bench.call_tool("wait", {}, token))
        await started.wait()
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_the_states_of_the_tools_are_taken_back() -> None:
    first, second = workbench(), workbench()
    await first.call_tool("count", {"steps": 3})
    state = await first.save_state()
    assert state == {"type": "StaticWorkbenchState", "tools": {"add": {}, "fail": {}, "count": {"count": 3}}}
    await second.load_state(state)
    assert await second.call_tool("count", {"steps": 1}) == text_result("count", '{"count": 4}')


async def test_a_state_of_a_tool_that_is_gone_is_left_out() -> None:
    bench = workbench()
    await bench.call_tool("count", {"steps": 3})
    await bench.load_state({"tools": {"gone": {"a": 1}}})
    assert (await bench.save_state())["tools"] == {"add": {}, "fail": {}, "count": {"count": 3}}


async def test_a_workbench_is_a_context_manager() -> None:
    bench = workbench()
    async with bench as same:
        assert same is bench
    await bench.reset()


async def test_an_override_changes_what_the_model_is_told_and_nothing_else() -> None:
    bench = workbench(add=ToolOverride(name="plus", description="Sums."), fail=ToolOverride(description="Never call."))
    schemas = await bench.list_tools()
    assert names(schemas) == ["plus", "fail", "count"]
    assert [schema.get("description") for schema in schemas] == ["Sums.", "Never call.", "Counts."]
    assert schemas[0].get("parameters") == FunctionTool(add, description="").schema.get("parameters")


async def test_an_override_may_repeat_the_name() -> None:
    bench = workbench(add=ToolOverride(name="add", description="Sums."))
    assert (await bench.list_tools())[0].get("description") == "Sums."


async def test_a_tool_is_called_by_either_name() -> None:
    bench = workbench(add=ToolOverride(name="plus"))
    assert await bench.call_tool("plus", {"a": 1}) == text_result("plus", "2")
    assert await bench.call_tool("add", {"a": 1}) == text_result("add", "2")


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="Two tools are named 'count'"):
        StaticWorkbench([Counter(), Counter()])
    with pytest.raises(InvalidArgumentError, match="Tool override name 'fail' conflicts with existing tool name"):
        workbench(add=ToolOverride(name="fail"))
    with pytest.raises(InvalidArgumentError, match="'x' is used by multiple tools: 'add' and 'fail'"):
        workbench(add=ToolOverride(name="x"), fail=ToolOverride(name="x"))


def test_an_override_that_fits_no_tool_is_pointed_out() -> None:
    with pytest.warns(UserWarning, match="'ad' fits no tool. The tools are: add, fail, count"):
        workbench(ad=ToolOverride(name="plus"))


async def test_a_stream_ends_with_the_whole_result() -> None:
    items = await stream(StaticStreamWorkbench([Walk()]), "walk", steps=2)
    assert items == ["step 0", "step 1", text_result("walk", '{"count": 2}')]


async def test_the_last_item_is_the_result_even_when_it_looks_like_the_others() -> None:
    items = await stream(StaticStreamWorkbench([Walk(str)]), "walk", steps=2)
    assert items == ["step 0", "step 1", text_result("walk", "there")]


async def test_what_cannot_be_the_result_is_shown_at_once() -> None:
    gate = asyncio.Event()
    items = StaticStreamWorkbench([Walk(gate=gate)]).call_tool_stream("walk", {"steps": 2})
    async with asyncio.timeout(5):
        assert await anext(items) == "step 0"
        gate.set()
        assert await anext(items) == "step 1"
        assert await anext(items) == text_result("walk", '{"count": 2}')


async def test_a_stream_that_fails_keeps_what_it_showed() -> None:
    items = await stream(StaticStreamWorkbench([Walk(fails_after=1)]), "walk", steps=3)
    assert items == ["step 0", text_result("walk", "stumbled", is_error=True)]


async def test_a_stream_that_is_abandoned_is_closed() -> None:
    walk = Walk()
    items = StaticStreamWorkbench([walk]).call_tool_stream("walk", {"steps": 2})
    assert await anext(items) == "step 0"
    await items.aclose()
    assert walk.is_closed


async def test_a_tool_that_does_not_stream_gives_its_result_alone() -> None:
    bench = StaticStreamWorkbench([FunctionTool(add, description="")])
    assert await stream(bench, "add", a=1) == [text_result("add", "2")]
    assert await stream(bench, "fly") == [text_result("fly", "Tool fly not found.", is_error=True)]


def test_a_result_becomes_text_a_line_a_piece() -> None:
    picture = ImageResultContent(content=Image.from_base64(PNG))
    result = ToolResult(name="draw", result=[TextResultContent(content="Here:"), picture])
    assert result.to_text() == f"Here:\n[Image: {PNG}]"
    assert result.to_text(replace_image="(picture)") == "Here:\n(picture)"


def test_a_result_survives_json() -> None:
    picture = ImageResultContent(content=Image.from_base64(PNG))
    result = ToolResult(name="draw", result=[TextResultContent(content="Here:"), picture], is_error=True)
    assert ToolResult.model_validate_json(result.model_dump_json()) == result


def test_half_of_a_surrogate_pair_in_a_result_is_replaced_since_no_vendor_takes_it() -> None:
    result = ToolResult(name="read", result=[TextResultContent(content="a\ud800b"), TextResultContent(content="ü")])
    assert result.to_text() == "a\ufffdb\nü"


class Raising(StaticWorkbench):
    """Breaks its contract: it raises what its tools raise."""

    def __init__(self, tools: Sequence[BaseTool[Any, Any]]) -> None:
        super().__init__(tools)
        self.tool = tools[0]

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, object] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        await self.tool.run_json(arguments or {}, cancellation_token or CancellationToken(), call_id=call_id)
        raise AssertionError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError("k"), "'k'"),
        (ValueError("no good"), "no good"),
        (ValueError(), "ValueError"),
        (ExceptionGroup("two", [ValueError("one"), KeyError()]), "one\nKeyError"),
    ],
    ids=["a key", "a text", "no text", "a group"],
)
@pytest.mark.parametrize("kind", [StaticWorkbench, Raising])
async def test_a_failed_tool_reads_the_same_whoever_catches_its_error(
    kind: Callable[[list[BaseTool[Any, Any]]], StaticWorkbench], error: Exception, text: str
) -> None:
    def fail() -> str:
        raise error

    result = await call_tool(kind([FunctionTool(fail, description="Fail.")]), "fail")
    assert (result.to_text(), result.is_error) == (text, True)
