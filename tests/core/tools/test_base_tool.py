from collections.abc import AsyncGenerator
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel

from symposia.core import CancellationToken
from symposia.core.exceptions import InvalidArgumentError, ToolArgumentsError
from symposia.core.tools import BaseStreamTool, BaseTool, BaseToolWithState, StreamTool, Tool


class Amount(BaseModel):
    amount: int


class Total(BaseModel):
    total: int


class Doubler(BaseTool[Amount, Total]):
    def __init__(self, args_type: type[Amount] = Amount, *, strict: bool = False) -> None:
        super().__init__(args_type, Total, "double", "Doubles.", strict)

    async def run(self, args: Amount, cancellation_token: CancellationToken) -> Total:
        return Total(total=2 * args.amount)


class Counter(BaseToolWithState[Amount, Total, Total]):
    def __init__(self) -> None:
        super().__init__(Amount, Total, Total, "count", "Counts.")
        self.total = 0

    async def run(self, args: Amount, cancellation_token: CancellationToken) -> Total:
        self.total += args.amount
        return Total(total=self.total)

    def save_state(self) -> Total:
        return Total(total=self.total)

    def load_state(self, state: Total) -> None:
        self.total = state.total


class Countdown(BaseStreamTool[Amount, int, Total]):
    def __init__(self) -> None:
        super().__init__(Amount, Total, "countdown", "Counts down.")

    async def run(self, args: Amount, cancellation_token: CancellationToken) -> Total:
        return Total(total=args.amount)

    async def run_stream(
        self, args: Amount, cancellation_token: CancellationToken
    ) -> AsyncGenerator[int | Total, None]:
        for number in range(args.amount, 0, -1):
            yield number
        yield Total(total=args.amount)


@pytest.fixture
def token() -> CancellationToken:
    return CancellationToken()


async def test_arguments_are_validated_before_the_tool_runs(token: CancellationToken) -> None:
    assert await Doubler().run_json({"amount": "3"}, token, call_id="1") == Total(total=6)


async def test_wrong_arguments_are_explained(token: CancellationToken) -> None:
    with pytest.raises(ToolArgumentsError, match=r"'double':\n- amount: Field required\nIts arguments are: \{"):
        await Doubler().run_json({}, token)


def test_the_schema_says_all_that_the_model_is_told() -> None:
    assert Doubler(strict=True).schema == {
        "name": "double",
        "description": "Doubles.",
        "parameters": {
            "type": "object",
            "properties": {"amount": {"title": "Amount", "type": "integer"}},
            "required": ["amount"],
            "additionalProperties": False,
        },
        "strict": True,
    }


def test_a_default_is_refused_when_strict() -> None:
    class Maybe(Amount):
        amount: int = 1

    assert Doubler(Maybe).schema.get("strict") is False
    with pytest.raises(InvalidArgumentError, match="not all input arguments are marked as required"):
        Doubler(Maybe, strict=True)


def test_open_arguments_stay_open() -> None:
    class Open(Amount, extra="allow"):
        pass

    assert Doubler(Open).schema.get("parameters", {}).get("additionalProperties") is True


class Day(BaseModel):
    day: date
    name: str


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        (3, "3"),
        (None, "None"),
        ({"a": 1}, "{'a': 1}"),
        (Total(total=1), '{"total": 1}'),
        (Day(day=date(2026, 1, 2), name="Zoë"), '{"day": "2026-01-02", "name": "Zoë"}'),
    ],
)
def test_a_result_becomes_text(value: Any, text: str) -> None:
    assert Doubler().return_value_as_string(value) == text


async def test_a_tool_without_state_saves_nothing() -> None:
    tool = Doubler()
    await tool.load_state_json(await tool.save_state_json())
    assert (tool.state_type(), await tool.save_state_json()) == (None, {})


async def test_a_state_is_taken_back(token: CancellationToken) -> None:
    first, second = Counter(), Counter()
    await first.run_json({"amount": 3}, token)
    await second.load_state_json(await first.save_state_json())
    assert await second.run_json({"amount": 1}, token) == Total(total=4)
    assert second.state_type() is Total


async def test_a_stream_ends_with_the_result(token: CancellationToken) -> None:
    items = [item async for item in Countdown().run_json_stream({"amount": 2}, token)]
    assert items == [2, 1, Total(total=2)]


async def test_wrong_arguments_of_a_stream_are_explained(token: CancellationToken) -> None:
    with pytest.raises(ToolArgumentsError, match="'countdown'"):
        await anext(Countdown().run_json_stream({"amount": "many"}, token))


def test_only_streaming_tools_are_stream_tools() -> None:
    assert isinstance(Doubler(), Tool)
    assert not isinstance(Doubler(), StreamTool)
    assert isinstance(Countdown(), StreamTool)


def test_a_schema_is_no_tool() -> None:
    assert not isinstance(Doubler().schema, Tool)
