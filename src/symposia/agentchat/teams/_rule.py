"""The rule of a team: who speaks next, or why the team stops.

A team is two parts (decide, then do). The rule decides, from the transcript and a small state of its own. It does no
I/O except through the `Effects` handed to it, so a test calls it with a list of messages and needs no runtime:

    rule = RoundRobinRule(["writer", "critic"])
    assert await rule.decide(transcript, Effects()) == Speak(("writer",))

The engine (`_engine.py`) does: it delivers messages, streams events, applies termination conditions, saves state. A new
team is a new rule, given to `GroupChat(participants, rule=...)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.agentchat.teams._effects import Effects

Transcript: TypeAlias = Sequence[BaseChatMessage | BaseAgentEvent]
"""Every message and event of the conversation so far, the task's first. A rule reads it and never changes it."""


@dataclass(frozen=True, slots=True)
class Speak:
    """These participants speak now; several of them speak at the same time, as one turn.

    Attributes:
        names: At least one participant's name, none twice.
    """

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """The team stops here.

    Attributes:
        reason: What `TaskResult.stop_reason` says.
    """

    reason: str


Decision: TypeAlias = Speak | Stop


class TeamRule(Protocol):
    """Decides who speaks next. It is asked when a run starts and after every turn.

    The state is the rule's alone: what it needs beyond the transcript, as JSON values. It is small, since the engine
    takes it before every decision. A turn that fails is undone by `load_state`, and the rule is asked again when the
    team runs again; the transcript then holds what was said by those of the turn who did finish.
    """

    async def decide(self, transcript: Transcript, effects: Effects, /) -> Decision:
        """Say who speaks next, or why the team stops.

        Raises:
            Exception: It ends the run, and the team can run again.
        """
        ...

    def save_state(self) -> Mapping[str, Any]:
        """The state as JSON values; ``type``, ``version``, ``message_thread`` and ``current_turn`` are taken."""
        ...

    def load_state(self, state: Mapping[str, Any], /) -> None:
        """Go on from what `save_state` gave."""
        ...

    def reset(self) -> None:
        """Forget everything, as if newly made."""
        ...
