"""A turn does the same work however long the conversation is. Function calls are counted, since times are noisy."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest
from tests.support.chat_agents import ABLE
from tests.support.graphs import graph
from tests.support.magentic_one import ledger
from tests.support.team_members import Member, handoff

from symposia.agentchat.teams import (
    BaseGroupChat,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from symposia.core.models import ChatCompletionClient
from symposia.ext.models.replay import ReplayChatCompletionClient

EARLY, LATE, WINDOW = 40, 440, 20


class Counted:
    """Counts the calls of functions of the library, up to each of a member's turns."""

    def __init__(self) -> None:
        self.calls = 0
        self.at_turn: list[int] = []

    def profile(self, frame: FrameType, event: str, _argument: object) -> None:
        # The client of the tests looks at all that it is shown, as no team does.
        if event == "call" and "/symposia/" in (name := frame.f_code.co_filename) and "/ext/" not in name:
            self.calls += 1


def members(counted: Counted) -> list[Member]:
    class Turns(Member):
        def _items(self, turn: object) -> list[object]:  # type: ignore[override]
            counted.at_turn.append(counted.calls)
            return super()._items(turn)  # type: ignore[arg-type]

    return [Turns("ann", handoff("ann", "bob")), Turns("bob", handoff("bob", "ann"))]


def client(answer: str) -> ChatCompletionClient:
    return ReplayChatCompletionClient(lambda _: answer, model_info=ABLE)


TEAMS: dict[str, Callable[[list[Member]], BaseGroupChat]] = {
    "round robin": lambda members: RoundRobinGroupChat(members, max_turns=LATE),
    "selector": lambda members: SelectorGroupChat(members, client("ann"), allow_repeated_speaker=True, max_turns=LATE),
    "swarm": lambda members: Swarm(members, max_turns=LATE),
    "graph": lambda members: GraphFlow(
        [*members, Member("end")], graph("ann>bob, bob>ann?over, bob>end?never", start="ann"), max_turns=LATE
    ),
    "magentic": lambda members: MagenticOneGroupChat(members, client(ledger("ann")), max_turns=LATE),
    "nested": lambda members: RoundRobinGroupChat([RoundRobinGroupChat(members, max_turns=LATE)], max_turns=1),
}


@pytest.mark.parametrize("make", TEAMS.values(), ids=TEAMS.keys())
async def test_a_late_turn_calls_as_many_functions_as_an_early_one(
    make: Callable[[list[Member]], BaseGroupChat],
) -> None:
    counted = Counted()
    team = make(members(counted))
    sys.setprofile(counted.profile)
    try:
        await team.run(task="go")
    finally:
        sys.setprofile(None)

    turns = counted.at_turn
    assert len(turns) == LATE
    early, late = turns[EARLY] - turns[EARLY - WINDOW], turns[LATE - 1] - turns[LATE - 1 - WINDOW]
    assert 0 < late <= early * 1.02
