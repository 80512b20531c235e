"""What becomes a JSON value, and what is refused by its name."""

from enum import Enum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from symposia.core.effects import EffectRequest
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.json_values import DEEPEST, as_json, nests_deeper, validation_faults
from symposia.core.tools import ToolRequest


class Sum(BaseModel):
    total: int


class Key(Enum):
    FIRST = "first"


class Word(StrEnum):
    ONE = "one"


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def circle() -> dict[str, object]:
    value: dict[str, object] = {}
    value["self"] = value
    return value


@pytest.mark.parametrize(
    ("value", "reason"),
    [(circle(), "Circular reference"), (10**5000, "integer string conversion"), (nested(DEEPEST + 1), "deeper than")],
    ids=["circular", "huge", "deep"],
)
def test_a_value_that_json_cannot_hold_is_refused_by_its_name(value: object, reason: str) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"'metadata' in the values cannot be written as JSON: .*{reason}"):
        as_json({"fine": 1, "metadata": value}, "the values")


def test_other_objects_are_the_names_of_their_classes_and_model_classes_their_schemas() -> None:
    plain = as_json({"object": object(), "class": Sum, "bytes": b"\xff", 1: "one", Key.FIRST: Word.ONE}, "values")  # pyright: ignore[reportArgumentType] - unchecked programs
    assert plain == {
        "object": "<object>",
        "class": Sum.model_json_schema(),
        "bytes": "_w==",
        "1": "one",
        "first": "one",
    }
    assert type(plain["first"]) is str


@pytest.mark.parametrize("levels", [0, 1, DEEPEST, 100_000])
def test_the_levels_of_a_value_are_counted_at_any_depth(levels: int) -> None:
    assert not nests_deeper(nested(levels), levels)
    assert levels == 0 or nests_deeper(nested(levels), levels - 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=3))
def test_what_is_taken_makes_a_request_that_can_be_read_back(values: dict[str, Any]) -> None:
    request: EffectRequest = ToolRequest(workbench={}, name="tool", arguments=as_json(values, "values"))
    assert ToolRequest.model_validate(request.model_dump())


def faults_of(given: object, kind: type[BaseModel]) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(given)
    return validation_faults(caught.value, "the answer")


def test_the_faults_of_a_value_name_its_parts() -> None:
    assert faults_of({"total": "many"}, Sum)[0].startswith("total: Input should be a valid integer")
    assert faults_of([], Sum)[0].startswith("the answer: ")


class Sums(BaseModel):
    sums: dict[str, Sum]


def test_ten_faults_are_named_and_each_is_cut_in_its_middle() -> None:
    without_total: dict[str, int] = {}
    faults = faults_of({"sums": {f"{'long' * 1_000}{number}": without_total for number in range(25)}}, Sums)
    assert len(faults) == 11
    assert faults[-1] == "and 15 more"
    assert all(fault.startswith("sums.long") and fault.endswith("Field required") for fault in faults[:10])
    assert max(map(len, faults)) < 310
