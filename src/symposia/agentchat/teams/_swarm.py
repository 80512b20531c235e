"""Teams whose participants hand the turn over to each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Unpack

from typing_extensions import override

from symposia.agentchat import base
from symposia.agentchat.base import ChatAgent
from symposia.agentchat.messages import HandoffMessage
from symposia.agentchat.state import SwarmManagerState
from symposia.agentchat.teams._group_chat import BaseGroupChat
from symposia.agentchat.teams._options import TeamOptions, not_instances_of, participant_names
from symposia.agentchat.teams._rule import Decision, RuleContext, Speak, Stop, TeamRule, Transcript
from symposia.core.changes import SavedState
from symposia.core.exceptions import InvalidArgumentError


class SwarmRule(TeamRule):
    """Chooses the target of the last handoff; before any handoff, the first participant.

    Args:
        names: The participants.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._current = self._names[0]
        self._read = 0  # how much of the transcript was searched for handoffs

    @override
    async def decide(self, transcript: Transcript, context: RuleContext, /) -> Decision:
        """Choose the target of the last handoff. A target outside the team stops it, so that a person can answer.

        Raises:
            InvalidArgumentError: The task continues a handoff to a target outside the team, without handing back.
        """
        handoff = self._last_handoff(transcript)
        target = handoff.target if handoff else self._current
        if handoff and target not in self._names:
            if handoff is transcript[-1] and handoff.source in self._names:
                return Stop(f"Handoff to {target} from {handoff.source}, and {target} is not in the team.")
            raise InvalidArgumentError(
                f"The last handoff went to {target!r}, which is not one of the participants {list(self._names)}. Start "
                "the run with a HandoffMessage whose target is one of them."
            )
        self._current = target
        self._read = len(transcript)
        return Speak((target,))

    def _last_handoff(self, transcript: Transcript) -> HandoffMessage | None:
        """The last one that was not followed yet.

        One without a target, by the source of the task, hands nothing over: it brings messages from before.
        """
        for index in range(len(transcript) - 1, self._read - 1, -1):
            message = transcript[index]
            if isinstance(message, HandoffMessage) and (message.target or message.source in self._names):
                return message
        return None

    def check_outline(self, participants: base.Outlines) -> base.RuleOutline:
        """The first participant speaks, and those that are reached from it by handoffs."""
        targets = {name: self._targets(participants.get(name)) for name in self._names}
        reached, new = {self._names[0]}, [self._names[0]]
        while new:
            found = [name for name in targets[new.pop()] if name in targets and name not in reached]
            reached.update(found)
            new += found
        outside = {target for name in reached for target in targets[name]} - targets.keys()
        return base.RuleOutline(
            silent={
                name: f"no participant that can speak has a handoff to it, beginning with {self._names[0]!r}"
                for name in self._names
                if name not in reached
            },
            can_end=bool(outside),
            models=(),
            heeds_handoffs=True,
        )

    def _targets(self, participant: base.AgentOutline | base.TeamOutline | None) -> Sequence[str]:
        """The targets of a participant's handoffs: all participants, where they are not known."""
        handoffs = participant.handoffs if isinstance(participant, base.AgentOutline) else None
        return self._names if handoffs is None else handoffs

    def save_state(self) -> SavedState:
        """The current speaker."""
        return {"current_speaker": self._current}

    def load_state(self, state: SavedState, /) -> None:
        """Continue from a saved state. The transcript is searched again, since its last handoff decides."""
        current = SwarmManagerState.model_validate(state).current_speaker
        self._current = current if current in self._names else self._names[0]
        self._read = 0

    def reset(self) -> None:
        """Begin with the first participant."""
        self._current = self._names[0]
        self._read = 0


class Swarm(BaseGroupChat):
    """A team whose participants hand the conversation to each other. The first one begins.

    Args:
        participants: Agents only, since teams do not hand off.
        options: See `TeamOptions`.

    Raises:
        InvalidArgumentError: As `BaseGroupChat`, or the first participant does not produce handoffs.
    """

    DEFAULT_NAME: ClassVar[str] = "Swarm"
    _manager: ClassVar[str] = "SwarmGroupChatManager"
    _manager_state: ClassVar[str] = "SwarmManagerState"

    def __init__(self, participants: Sequence[ChatAgent], **options: Unpack[TeamOptions]) -> None:
        names = participant_names(participants)
        if not_instances_of(ChatAgent, participants):
            raise InvalidArgumentError(f"The participants of a swarm have to be agents, not teams: {names}")
        if HandoffMessage not in participants[0].produced_message_types:
            raise InvalidArgumentError(
                f"The first participant must be able to produce handoff messages, and {names[0]!r} is not: give it "
                "handoffs."
            )
        super().__init__(participants, rule=SwarmRule(names), **options)
