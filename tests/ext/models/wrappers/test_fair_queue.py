"""The order of calls that wait."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.ext.models._fair_queue import FairQueue


def queue_of(*calls: tuple[str, int]) -> FairQueue[tuple[str, int]]:
    queue: FairQueue[tuple[str, int]] = FairQueue()
    for call in calls:
        queue.push(call, caller=call[0])
    return queue


def drained(queue: FairQueue[tuple[str, int]]) -> list[tuple[str, int]]:
    return [queue.pop() for _ in range(len(queue))]


def test_callers_take_turns_and_their_own_calls_are_in_order() -> None:
    queue = queue_of(("a", 1), ("a", 2), ("a", 3), ("b", 1), ("c", 1), ("c", 2))
    assert drained(queue) == [("a", 1), ("b", 1), ("c", 1), ("a", 2), ("c", 2), ("a", 3)]


def test_a_higher_priority_goes_first() -> None:
    queue = queue_of(("a", 1), ("b", 1))
    queue.push(("c", 1), caller="c", priority=5)
    assert drained(queue) == [("c", 1), ("a", 1), ("b", 1)]


def test_a_call_that_left_is_skipped_and_keeps_its_callers_turn() -> None:
    queue = queue_of(("a", 1), ("a", 2), ("b", 1))
    assert (queue.remove(("a", 1)), queue.remove(("a", 1))) == (True, False)
    assert drained(queue) == [("a", 2), ("b", 1)]


def test_an_empty_queue_has_no_first() -> None:
    with pytest.raises(ValueError, match="empty"):
        FairQueue[str]().pop()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), max_size=40), st.data())
def test_no_caller_waits_for_more_than_one_call_of_each_other(
    pushes: list[tuple[str, int]], data: st.DataObject
) -> None:
    queue: FairQueue[int] = FairQueue()
    callers = dict(enumerate(pushes))
    for number, (caller, priority) in callers.items():
        queue.push(number, caller, priority)
    for number in data.draw(st.sets(st.sampled_from(range(len(pushes))) if pushes else st.nothing())):
        queue.remove(number)
        del callers[number]
    passed: dict[str, Counter[str]] = {caller: Counter() for caller in "abc"}
    last_priority = 2
    while queue:
        number = queue.pop()
        caller, priority = callers.pop(number)
        assert priority <= last_priority
        if priority < last_priority:
            passed = {each: Counter() for each in "abc"}
        last_priority = priority
        assert all(other[0] != caller or other[1] != priority or n > number for n, other in callers.items())
        for waiting in {other[0] for other in callers.values() if other[1] == priority} - {caller}:
            passed[waiting][caller] += 1
            assert passed[waiting][caller] <= 1
        passed[caller].clear()
    assert not callers
