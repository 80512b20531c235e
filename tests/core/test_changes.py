import copy
import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.core.changes import apply, diff, save_changes
from symposia.core.exceptions import InvalidArgumentError

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=4),
    max_leaves=12,
)


@given(values, values)
def test_r02_applying_a_difference_gives_the_value(before: object, after: object) -> None:
    change = json.loads(json.dumps(diff(before, after)))

    assert json.dumps(apply(copy.deepcopy(before), change), sort_keys=True) == json.dumps(after, sort_keys=True)


@given(values)
def test_r02_equal_values_have_no_difference(value: object) -> None:
    assert diff(value, copy.deepcopy(value)) is None


@given(st.lists(values, min_size=1, max_size=6))
def test_r02_folding_the_changes_of_a_history_gives_its_end(history: list[object]) -> None:
    changes = [diff(before, after) for before, after in pairwise(history)]
    state = copy.deepcopy(history[0])
    for change in copy.deepcopy(changes):
        state = apply(state, change)

    assert json.dumps(state, sort_keys=True) == json.dumps(history[-1], sort_keys=True)


@given(st.lists(values, max_size=5), st.lists(values, min_size=1, max_size=3))
def test_r02_a_list_that_only_grew_costs_its_new_elements(old: list[object], new: list[object]) -> None:
    assert diff({"a": {"b": old}}, {"a": {"b": old + new}}) == {"update": {"a": {"update": {"b": {"extend": new}}}}}


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (1, True, {"set": True}),
        (1, 1.0, {"set": 1.0}),
        ([1, 2], [2], {"set": [2]}),
        ({"a": 1, "b": 2}, {"a": 1}, {"remove": ["b"]}),
        ({}, {"a": []}, {"update": {"a": {"set": []}}}),
        ({"a": [[1]]}, {"a": [[1, 2]]}, {"update": {"a": {"set": [[1, 2]]}}}),
        ({"a": None}, {}, {"remove": ["a"]}),
    ],
)
def test_what_a_change_looks_like(before: object, after: object, change: object) -> None:
    assert repr(diff(before, after)) == repr(change)


def test_a_change_of_another_value_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="cannot be made in a int"):
        apply(3, {"extend": [1]})


class Counter:
    def __init__(self) -> None:
        self.state: dict[str, Any] = {"seen": []}

    async def save_state(self) -> Mapping[str, Any]:
        return self.state


async def test_an_object_without_marks_of_its_own_is_compared_as_a_whole() -> None:
    counter = Counter()
    first, mark = await save_changes(counter, None)
    counter.state["seen"].append(1)
    second, mark = await save_changes(counter, mark)

    assert (first, second) == ({"set": {"seen": []}}, {"update": {"seen": {"extend": [1]}}})
    assert (await save_changes(counter, mark))[0] is None
