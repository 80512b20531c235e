from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel, Field, RootModel, create_model, model_serializer

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


def test_a_schema_that_would_be_too_large_keeps_its_references() -> None:
    part: type[BaseModel] = Total
    for number in range(40):
        part = create_model(f"Part{number}", left=(part, ...), right=(part, ...))
    tool: BaseTool[Any, Any] = Doubler(create_model("Tree", __base__=Amount, tree=(part, ...)))
    parameters: dict[str, Any] = dict(tool.schema.get("parameters", {}))
    assert parameters["properties"]["tree"] == {"$ref": "#/$defs/Part39"}
    assert len(parameters["$defs"]) == 41


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


class Holder(BaseModel):
    total: Total
    totals: list[Total]


class OwnDump(BaseModel):
    """Its `model_dump` takes no options, as programs write it."""

    number: int

    def model_dump(self) -> dict[str, Any]:  # type: ignore[override]
        return {"twice": 2 * self.number}


class TextDump(BaseModel):
    text: str

    @model_serializer
    def as_text(self) -> str:
        return self.text


class OwnText(BaseModel):
    number: int

    def __str__(self) -> str:
        return "not used"


class Named(BaseModel):
    number: int = Field(serialization_alias="Number")


class Raw(BaseModel):
    data: bytes


class Colour(Enum):
    RED = "red"


class Loud(str, Enum):  # noqa: UP042 - a `StrEnum` has another text
    YES = "yes"


class Plain:
    def __str__(self) -> str:
        return "as it says"

    def model_dump(self) -> dict[str, int]:
        return {"not": 1}


@dataclass
class Size:
    width: int


WRITTEN_BY_AUTOGEN: list[tuple[Any, str]] = [
    ("text", "text"),
    ("", ""),
    (3, "3"),
    (10**30, "1" + "0" * 30),
    (1.5, "1.5"),
    (float("nan"), "nan"),
    (True, "True"),
    (None, "None"),
    ({"a": 1, "z": Total(total=1)}, "{'a': 1, 'z': Total(total=1)}"),
    ([1, "a"], "[1, 'a']"),
    ([Total(total=1)], "[Total(total=1)]"),
    ((1,), "(1,)"),
    ({1}, "{1}"),
    (b"ab", "b'ab'"),
    (date(2026, 1, 2), "2026-01-02"),
    (Decimal("1.10"), "1.10"),
    (Size(1), "Size(width=1)"),
    (Colour.RED, "Colour.RED"),
    (Loud.YES, "Loud.YES"),
    (ValueError("v"), "v"),
    (Plain(), "as it says"),
    (Total(total=1), '{"total": 1}'),
    (Holder(total=Total(total=1), totals=[Total(total=2)]), '{"total": {"total": 1}, "totals": [{"total": 2}]}'),
    (OwnDump(number=2), '{"twice": 4}'),
    (TextDump(text="plain"), "plain"),
    (OwnText(number=1), '{"number": 1}'),
    (Named(number=1), '{"number": 1}'),
    (RootModel[list[int]]([1, 2]), "[1, 2]"),
    (RootModel[str]("x"), "x"),
    (RootModel[dict[str, str]]({"name": "Zoë"}), '{"name": "Zo\\u00eb"}'),
]


@pytest.mark.parametrize(("value", "text"), WRITTEN_BY_AUTOGEN, ids=range(len(WRITTEN_BY_AUTOGEN)))
def test_n08_a_result_is_written_as_autogen_writes_it(value: Any, text: str) -> None:
    assert Doubler().return_value_as_string(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Day(day=date(2026, 1, 2), name="Zoë"), '{"day": "2026-01-02", "name": "Zo\\u00eb"}'),
        (Raw(data=b"ab"), '{"data": "ab"}'),
    ],
)
def test_n08_a_result_that_autogen_cannot_write_is_written_in_json_types(value: Any, text: str) -> None:
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
