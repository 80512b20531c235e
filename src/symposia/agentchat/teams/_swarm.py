"""Teams whose participants hand the turn over to each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Unpack

from typing_extensions import override

from symposia.agentchat import base
from symposia.agentchat.base import ChatAgent
from symposia.agentchat.messages import BaseChatMessage, HandoffMessage
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
            InvalidArgumentError: The last handoff went to a target outside the team, which has neither handed back nor
                answered.
        """
        speaker = self._current
        if (found := self._last_handoff(transcript)) is not None:
            handoff, since = found
            if handoff.target not in self._names and not since:
                return Stop(
                    f"Handoff to {handoff.target} from {handoff.source}, and {handoff.target} is not in the team."
                )
            speaker = self._receiver(handoff, since)
        self._current = speaker
        self._read = len(transcript)
        return Speak((speaker,))

    def _last_handoff(self, transcript: Transcript) -> tuple[HandoffMessage, Transcript] | None:
        """The last handoff to or from a participant that was not followed yet, and what was said since.

        Between others, nothing is handed to this team. Those between members of an outer team are part of the
        conversation that a nested team receives, and one without a target brings messages from before.
        """
        for index in range(len(transcript) - 1, self._read - 1, -1):
            message = transcript[index]
            if isinstance(message, HandoffMessage) and (message.target in self._names or message.source in self._names):
                return message, transcript[index + 1 :]
        return None

    def _receiver(self, handoff: HandoffMessage, since: Transcript) -> str:
        """The target of a handoff; its source if the target is outside the team and has answered.

        Raises:
            InvalidArgumentError: The target is outside the team, and has not answered, or has handed over to another
                one outside.
        """
        if handoff.target in self._names:
            return handoff.target
        answers = [item for item in since if isinstance(item, BaseChatMessage) and item.source == handoff.target]
        further = [each for each in answers if isinstance(each, HandoffMessage) and each.target]
        if further:
            raise InvalidArgumentError(
                f"{handoff.target!r} hands over to {further[-1].target!r}, which is not one of the participants "
                f"{list(self._names)}. Give the HandoffMessage one of them as its target."
            )
        if answers:
            return handoff.source
        raise InvalidArgumentError(
            f"The last handoff went to {handoff.target!r}, which is not one of the participants {list(self._names)}. "
            f"Start the run with a HandoffMessage whose target is one of them, or with a message from "
            f"{handoff.target!r}."
        )

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

    A handoff to a name outside the team ends the run. The next one begins with a `HandoffMessage` to a participant, or
    with an answer from that name, which goes to the participant that handed over. Handoffs between others, such as the
    members of an outer team, are only read.

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
