"""A debate comes to the same end however often its agents fail, and wherever it is saved and loaded."""

import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from symposia.agentchat.agents import BaseChatAgent
from symposia.agentchat.base import Response
from symposia.agentchat.messages import BaseChatMessage, TextMessage
from symposia.agentchat.teams import DebateCritique, DebateGroupChat, DebateResult, DebateStatement, DebateSummary
from symposia.core import CancellationToken

NAMES = ("ann", "bob", "cleo")


class Faults:
    """Fails in the calls that it is told, counted over all agents.

    Attributes:
        calls: How many there were.
    """

    def __init__(self, failing: Sequence[int] = ()) -> None:
        self.calls = 0
        self._failing = frozenset(failing)

    def next_call(self) -> None:
        self.calls += 1
        if self.calls in self._failing:
            raise ConnectionError("no route")


class Deterministic(BaseChatAgent):
    """Answers by what it was told since it was reset, and by nothing else."""

    def __init__(self, name: str, faults: Faults) -> None:
        super().__init__(name, "A debater.")
        self._faults = faults
        self._told: list[str] = []

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        self._faults.next_call()
        self._told += [message.to_text() for message in messages]
        told = "\n".join(self._told)
        if "Vote now" in told:
            # It changes its mind by what it has read; every third number is no position, and so an abstention.
            answer = ("a", "b", "none")[(len(told) + len(self.name)) % 3]
        elif "You moderate" in told:
            answer = json.dumps({"summary": f"Summary of {len(told)}.", "agreed": [f"Point {len(told)}."]})
        else:
            answer = f"{self.name} has read {len(told)}."
        return Response(chat_message=TextMessage(content=answer, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        self._told.clear()


def team(faults: Faults, *, independent_rounds: int, simultaneous: bool) -> DebateGroupChat:
    return DebateGroupChat(
        [Deterministic(name, faults) for name in NAMES],
        {"ann": "a", "bob": "b"},
        critic=Deterministic("zoe", faults),
        moderator=Deterministic("max", faults),
        independent_rounds=independent_rounds,
        max_rounds=3,
        settled_rounds=None,
        simultaneous=simultaneous,
        vote_retries=0,
    )


Said = list[tuple[int, str, str]]


def said(of: DebateGroupChat) -> Said:
    """What was said, by round and speaker: those that failed come later in the conversation."""
    spoken = [m for m in of.transcript if isinstance(m, DebateStatement | DebateCritique | DebateSummary)]
    return sorted((message.round, message.source, message.to_text()) for message in spoken)


_expected: dict[tuple[int, bool], tuple[Said, DebateResult]] = {}


async def undisturbed(independent_rounds: int, simultaneous: bool) -> tuple[Said, DebateResult]:
    """The debate in which nothing fails."""
    if (independent_rounds, simultaneous) not in _expected:
        whole = team(Faults(), independent_rounds=independent_rounds, simultaneous=simultaneous)
        await whole.run(task="Which?")
        _expected[independent_rounds, simultaneous] = said(whole), whole.debate_result
    return _expected[independent_rounds, simultaneous]


@given(
    st.sets(st.integers(1, 28), max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.integers(0, 2),
    st.booleans(),
)
async def test_failures_saves_and_loads_change_nothing(
    failing: set[int], reloaded: list[bool], independent_rounds: int, simultaneous: bool
) -> None:
    expected = await undisturbed(independent_rounds, simultaneous)
    faults = Faults(sorted(failing))
    debate = team(faults, independent_rounds=independent_rounds, simultaneous=simultaneous)
    task: str | None = "Which?"
    for load in [*reloaded, False]:
        try:
            await debate.run(task=task)
            break
        except ConnectionError:
            task = None
        if load:
            state = json.loads(json.dumps(await debate.save_state()))
            debate = team(faults, independent_rounds=independent_rounds, simultaneous=simultaneous)
            await debate.load_state(state)
    assert (said(debate), debate.debate_result) == expected
