from collections.abc import Sequence

import pytest

from symposia.agentchat.base import TerminatedException, TerminationCondition
from symposia.agentchat.conditions import MaxMessageTermination, TextMentionTermination
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage, TextMessage
from symposia.core.exceptions import InvalidArgumentError

MESSAGE = TextMessage(content="hi", source="ann")


class At(TerminationCondition):
    """Met at the n-th message."""

    def __init__(self, name: str, at: int) -> None:
        self._name = name
        self._at = at
        self.seen = 0

    @property
    def terminated(self) -> bool:
        return self.seen >= self._at

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        if self.terminated:
            raise TerminatedException
        self.seen += len(messages)
        return StopMessage(content=f"stop {self._name}", source=self._name) if self.terminated else None

    async def reset(self) -> None:
        self.seen = 0


async def reasons(condition: TerminationCondition, messages: int) -> list[str | None]:
    stops = [await condition([MESSAGE]) for _ in range(messages)]
    return [stop and stop.content for stop in stops]


async def test_and_is_met_when_each_has_been_met_at_its_own_message() -> None:
    condition = At("a", 3) & At("b", 1)

    assert await reasons(condition, 3) == [None, None, "stop b, stop a"]
    assert condition.terminated


async def test_and_does_not_ask_again_what_has_been_met() -> None:
    early = At("a", 1)

    await reasons(early & At("b", 3), 2)

    assert early.seen == 1


async def test_or_is_met_when_the_first_is() -> None:
    condition = At("a", 3) | At("b", 2)

    assert await reasons(condition, 2) == [None, "stop b"]
    assert condition.terminated


async def test_or_shows_every_message_to_all_and_names_all_that_are_met() -> None:
    condition = At("a", 2) | At("b", 2)

    stop = [await condition([MESSAGE]) for _ in range(2)][-1]

    assert stop is not None
    assert (stop.content, stop.source) == ("stop a, stop b", "a, b")


async def test_conditions_nest() -> None:
    assert await reasons((At("a", 1) | At("b", 5)) & At("c", 3), 3) == [None, None, "stop a, stop c"]


@pytest.mark.parametrize("condition", [At("a", 1) & At("b", 1), At("a", 1) | At("b", 1)])
async def test_a_condition_that_was_met_refuses_until_it_is_reset(condition: TerminationCondition) -> None:
    first = await condition([MESSAGE])
    with pytest.raises(TerminatedException, match="already been reached"):
        await condition([MESSAGE])
    await condition.reset()

    assert not condition.terminated
    again = await condition([MESSAGE])
    assert (again and again.content) == (first and first.content)


async def test_and_continues_from_a_saved_state_with_the_reasons_of_those_that_are_met() -> None:
    half, other = (TextMentionTermination("hi") & MaxMessageTermination(2) for _ in range(2))
    await half([MESSAGE])
    other.load_state(half.save_state())

    assert await reasons(other, 1) == [
        "Text 'hi' mentioned, Maximum number of messages 2 reached, current message count: 2"
    ]


async def test_and_refuses_a_state_without_the_reason_of_one_that_is_met() -> None:
    half, other = (TextMentionTermination("hi") & MaxMessageTermination(2) for _ in range(2))
    await half([MESSAGE])
    before = other.save_state()

    with pytest.raises(InvalidArgumentError, match=r"contradicts itself.*TextMentionTermination.*stops"):
        other.load_state({**half.save_state(), "stops": []})
    assert other.save_state() == before


async def test_and_gives_the_reason_of_a_condition_that_saves_nothing_once() -> None:
    half, other = At("a", 1) & At("b", 2), At("a", 1) & At("b", 2)
    await half([MESSAGE])
    other.load_state(half.save_state())

    assert await reasons(other, 2) == [None, "stop a, stop b"]
