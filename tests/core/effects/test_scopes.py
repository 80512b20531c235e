"""Scopes name places in a program, the same each time it runs."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.core.effects import (
    Effect,
    EffectRequest,
    RecurringScope,
    Scope,
    continue_scope,
    current_scope,
    enter_scope,
    handle_effects,
    iterate_in_scope,
)

Request = TypeVar("Request", bound=EffectRequest)
Result = TypeVar("Result")


class Passing:
    async def handle(self, effect: Effect[Request, Result], proceed: Callable[[], Awaitable[Result]]) -> Result:
        return await proceed()


@given(st.lists(st.text(min_size=1)))
def test_a_scope_written_as_text_reads_back(segments: list[str]) -> None:
    scope = Scope(tuple(segments))
    assert Scope.parse(str(scope)) == scope


def test_a_segment_must_not_be_empty() -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        Scope().child("")


def test_a_scope_contains_itself_and_what_lies_below() -> None:
    team = Scope(("team:a",))
    assert team.contains(team)
    assert team.contains(team.child("turn:1"))
    assert not team.contains(Scope(("team:ab",)))


def test_no_scope_is_tracked_without_a_handler() -> None:
    with enter_scope("agent:writer"):
        assert current_scope() == Scope()


def test_scopes_nest_and_end() -> None:
    with handle_effects(Passing()):
        with enter_scope("team:a"), enter_scope("turn:1"):
            assert str(current_scope()) == "team:a/turn:1"
        assert current_scope() == Scope()


def test_a_segment_entered_again_is_numbered_whatever_its_siblings_do() -> None:
    seen: list[str] = []
    with handle_effects(Passing()), enter_scope("team:a"):
        for segment in ("agent:x", "agent:y", "agent:x"):
            with enter_scope(segment):
                seen.append(str(current_scope()))
    assert seen == ["team:a/agent:x", "team:a/agent:y", "team:a/agent:x#2"]


def test_a_recurring_scope_keeps_its_number_below_the_same_scope() -> None:
    seen: list[str] = []
    first, second = RecurringScope("team:a"), RecurringScope("team:a")

    def note(recurring: RecurringScope) -> None:
        with recurring.enter():
            seen.append(str(current_scope()))

    note(first)
    with handle_effects(Passing()), enter_scope("run"):
        for each in (first, second, first, second):
            note(each)
        first.forget()
        note(first)
        with enter_scope("inner"):
            note(second)
    assert seen == [
        "",
        *("run/team:a", "run/team:a#2", "run/team:a", "run/team:a#2"),
        "run/team:a#3",
        "run/inner/team:a",
    ]


def test_the_second_entry_of_a_segment_is_never_the_scope_of_another_name() -> None:
    seen: list[str] = []
    with handle_effects(Passing()):
        for segment in ("team:a", "team:a", "team:a#2", "team:a##2", "team:a#", "team:a#"):
            with enter_scope(segment):
                seen.append(str(current_scope()))
    assert len(set(seen)) == len(seen)
    assert seen[:3] == ["team:a", "team:a#2", "team:a##2"]


async def test_branches_have_scopes_that_do_not_depend_on_their_order() -> None:
    async def branch(name: str, turns: int) -> str:
        for _ in range(turns):
            await asyncio.sleep(0)
        with enter_scope(f"agent:{name}"):
            await asyncio.sleep(0)
            return str(current_scope())

    with handle_effects(Passing()), enter_scope("turn:1"):
        assert await asyncio.gather(branch("a", 5), branch("b", 0)) == ["turn:1/agent:a", "turn:1/agent:b"]


async def numbered_scopes() -> AsyncGenerator[str, None]:
    while True:
        yield str(current_scope())


async def test_a_generators_scope_does_not_leak_to_its_consumer() -> None:
    with handle_effects(Passing()), enter_scope("turn:1"):
        async with aclosing(iterate_in_scope("agent:a", numbered_scopes())) as items:
            assert await anext(items) == "turn:1/agent:a"
            assert str(current_scope()) == "turn:1"
            assert await anext(items) == "turn:1/agent:a"


async def test_a_generator_in_a_scope_is_closed_from_any_task() -> None:
    closed_in: list[str] = []

    async def items() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            closed_in.append(str(current_scope()))

    with handle_effects(Passing()), enter_scope("turn:1"):
        stream = iterate_in_scope("agent:a", items())
        assert await asyncio.ensure_future(anext(stream)) == 1
        await asyncio.create_task(stream.aclose())
    assert closed_in == ["turn:1/agent:a"]


async def test_without_a_handler_a_generator_is_given_back_as_it_is() -> None:
    items = numbered_scopes()
    assert iterate_in_scope("agent:a", items) is items
    await items.aclose()


def test_a_scope_goes_on_in_another_process() -> None:
    with continue_scope(Scope.parse("team:a/turn:3")), enter_scope("agent:x"):
        assert str(current_scope()) == "team:a/turn:3/agent:x"
    assert current_scope() == Scope()


def test_an_empty_scope_of_another_process_is_not_tracked() -> None:
    with handle_effects(Passing()), continue_scope(Scope()), enter_scope("agent:x"):
        assert current_scope() == Scope()
