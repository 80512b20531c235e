"""Teams whose participants speak in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, Unpack

from pydantic_core import core_schema as cs
from typing_extensions import override

from symposia.agentchat import base
from symposia.agentchat.base import ChatAgent, Team
from symposia.agentchat.teams._group_chat import BaseGroupChat
from symposia.agentchat.teams._options import TeamOptions, participant_names
from symposia.agentchat.teams._rule import RuleContext, Speak, TeamRule, Transcript
from symposia.agentchat.teams._saved_team import shape, with_default
from symposia.core.changes import SavedState

_STATE: Final = shape("RoundRobinManagerState", next_speaker_index=with_default(cs.int_schema(), int))


class RoundRobinRule(TeamRule):
    """One after another, over and over.

    Args:
        names: The participants, in the order in which they speak.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._next = 0

    @override
    async def decide(self, transcript: Transcript, context: RuleContext, /) -> Speak:
        """Choose the next participant in the order."""
        name = self._names[self._next]
        self._next = (self._next + 1) % len(self._names)
        return Speak((name,))

    def check_outline(self, participants: base.Outlines) -> base.RuleOutline:  # noqa: ARG002 - all of them speak
        """Every participant speaks equally often; the rule itself never ends a run."""
        return base.RuleOutline(can_end=False, is_even=True, models=())

    def save_state(self) -> SavedState:
        """The index of the next speaker."""
        return {"next_speaker_index": self._next}

    def load_state(self, state: SavedState, /) -> None:
        """Continue from a saved state."""
        self._next = _STATE.validate_python(state)["next_speaker_index"] % len(self._names)

    def reset(self) -> None:
        """Begin with the first."""
        self._next = 0


class RoundRobinGroupChat(BaseGroupChat):
    """A team whose participants speak one after another, over and over, in the order in which they are given.

    Args:
        participants: In their order.
        options: See `TeamOptions`.

    Raises:
        InvalidArgumentError: As `BaseGroupChat`.
    """

    DEFAULT_NAME: ClassVar[str] = "RoundRobinGroupChat"
    _manager: ClassVar[str] = "RoundRobinGroupChatManager"
    _manager_state: ClassVar[str] = "RoundRobinManagerState"

    def __init__(self, participants: Sequence[ChatAgent | Team], **options: Unpack[TeamOptions]) -> None:
        super().__init__(participants, rule=RoundRobinRule(participant_names(participants)), **options)
