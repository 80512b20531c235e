"""The participants of a team as actors in a runtime: registered while they are used, asked for turns and states."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from typing_extensions import override

from symposia.agentchat._any_loop_lock import AnyLoopLock
from symposia.agentchat.base import ChatAgent, Team
from symposia.agentchat.messages import BaseChatMessage, MessageFactory
from symposia.agentchat.teams._members import member_of
from symposia.agentchat.teams._messages import (
    ParticipantCommand,
    ParticipantEvents,
    ReportChanges,
    StateChanges,
    TakeTurn,
    TurnTaken,
)
from symposia.agentchat.teams._participant import OnEnded, Participant, ParticipantMarks
from symposia.core import (
    AgentId,
    AgentRuntime,
    BaseAgent,
    CancellationToken,
    MessageContext,
    MessageSerializer,
    try_get_known_serializers_for_type,
    uninterrupted,
)
from symposia.core.changes import Change, SavedState, copy_state
from symposia.core.exceptions import CantHandleException, error_text
from symposia.core.runtimes import Failures

if TYPE_CHECKING:
    from symposia.core import SingleThreadedAgentRuntime


class Participants:
    """The participants of a team as actors in a runtime: the given one, or an embedded one of the team's own.

    Everything goes through the exported names of `AgentRuntime`, so any runtime will do.

    Args:
        participants: The agents and teams.
        team: The team's unique id, a part of every actor's id.
        runtime: The runtime of the actors; None for an embedded one that is started and stopped with `reachable`. It
            knows the actors only as long as they are in use, so that a team leaves nothing in it. What they keep
            between their turns is in objects of this one.
        message_types: Reads the messages of the team, should the runtime write them to bytes.

    Attributes:
        on_events: Receives what happens during turns.
        on_ended: Receives each answer at once: see `Participant`.
    """

    def __init__(
        self,
        participants: Sequence[ChatAgent | Team],
        *,
        team: str,
        runtime: AgentRuntime | None,
        message_types: MessageFactory,
    ) -> None:
        self._team = team
        self._message_types = message_types
        self._members = [member_of(participant) for participant in participants]
        self._run_starters = [start for member in self._members if (start := member.run_starter) is not None]
        listener, *types = _agent_types("listener", *(member.name for member in self._members))
        self._listener = AgentId(f"{listener}_{team}", team)
        self._ids = {
            member.name: AgentId(f"{agent_type}_{team}", team)
            for member, agent_type in zip(self._members, types, strict=True)
        }
        self._embedded: SingleThreadedAgentRuntime | None = None
        if runtime is None:
            from symposia.core import SingleThreadedAgentRuntime  # noqa: PLC0415 - a team may run elsewhere

            runtime = self._embedded = SingleThreadedAgentRuntime()
        self._runtime: AgentRuntime = runtime
        self.on_events: Callable[[ParticipantEvents], None] = _ignore
        self.on_ended: OnEnded = _ignore
        # Weak: a state's marks go with the mark of the team that holds them, in whichever way a reader drops that.
        self._marks: WeakValueDictionary[int, ParticipantMarks] = WeakValueDictionary()
        self._marks_made = count()
        self._factories: dict[str, Callable[[], BaseAgent]] = {self._listener.type: partial(_Listener, self)}
        for member in self._members:
            agent_id = self._ids[member.name]
            self._factories[agent_id.type] = partial(
                Participant,
                member,
                team=team,
                address=str(agent_id),
                listener=self._listener,
                marks=self._marks,
                on_ended=self._end,
            )
        self._registered: set[str] = set()  # the agent types that the runtime knows at present
        self._users = 0
        self._are_reachable = False
        self._changing = AnyLoopLock()  # the runtime may take its time to register and to stop

    def reachable(self) -> AbstractAsyncContextManager[None]:
        """Keep the actors reachable inside; may be entered again inside."""
        return _Reachable(self)

    async def acquire(self) -> None:
        """Make the actors reachable, for one more user."""
        self._users += 1
        try:
            if self._changing.locked() or not self._are_reachable:
                async with self._changing:
                    if not self._are_reachable:
                        await self._make_reachable()
                        self._are_reachable = True
        except BaseException:
            self._users -= 1  # nothing of this user follows: what is registered stays for the next
            raise

    async def release(self) -> None:
        """One user less. After the last one, the runtime does not know the actors any more."""
        self._users -= 1
        if self._users == 0:
            async with self._changing:
                if self._users == 0 and self._are_reachable:
                    self._are_reachable = False
                    await self._make_unreachable()

    async def start_run(self) -> None:
        """Tell the participants for which it means something that a run begins.

        Not by messages to their actors: most teams have no such participant, and every run would pay for them.

        Raises:
            Exception: The error of a participant.
        """
        for start in self._run_starters:
            await start()

    def take_turn(
        self, name: str, messages: Sequence[BaseChatMessage], turn: int, token: CancellationToken | None
    ) -> Awaitable[TurnTaken]:
        """Let a participant speak in the turn of that number.

        Raises:
            Exception: Whatever the participant raised.
        """
        # Not a coroutine function: one more coroutine between the team and its runtime costs every turn.
        return self._runtime.send_message(
            TakeTurn(self._team, messages, turn), self._ids[name], cancellation_token=token
        )

    async def tell_all(self, command: ParticipantCommand) -> None:
        """Have every participant follow a command, one after another.

        Raises:
            Exception: What a participant raised, with the errors of further ones as notes. All of them were told.
        """
        failures = Failures()
        for agent_id in self._ids.values():
            try:
                await self._runtime.send_message(command, agent_id)
            except Exception as error:  # noqa: BLE001 - raised below, when all of them were told
                failures.add(error)
        failures.raise_first()

    def new_marks(self, since: Mapping[str, object]) -> ParticipantMarks:
        """A copy of some marks, for `changes`. Those that are copied stay as they are."""
        marks = ParticipantMarks(next(self._marks_made), since)
        self._marks[marks.number] = marks
        return marks

    async def changes(self, name: str, marks: ParticipantMarks) -> Change | None:
        """What changed in a participant's state since its mark, which is replaced: see `ReportChanges`."""
        answer: StateChanges = await self._runtime.send_message(ReportChanges(marks=marks.number), self._ids[name])
        return answer.change

    async def save(self, name: str) -> SavedState:
        """A participant's own state."""
        return await self._runtime.agent_save_state(self._ids[name])

    async def load(self, name: str, state: SavedState) -> None:
        """Give a participant its state back."""
        await self._runtime.agent_load_state(self._ids[name], state)

    async def load_all(self, states: Mapping[str, SavedState]) -> None:
        """Give participants their states back: all of them, or none if one fails.

        Raises:
            Exception: The error of a participant. Every participant has the state that it had before, unless a note
                on the error says that one of them cannot be put back.
        """
        # A participant may load a part of its state before it finds the rest wrong, and cannot be asked to check only.
        before = {name: copy_state(await self.save(name)) for name in states}
        loaded: list[str] = []
        try:
            for name, state in states.items():
                loaded.append(name)  # also the one that fails: it may have loaded a part
                await self.load(name, state)
        except BaseException as error:
            await uninterrupted(self._put_back({name: before[name] for name in loaded}, error))
            raise

    async def _put_back(self, states: Mapping[str, SavedState], error: BaseException) -> None:
        for name, state in states.items():
            try:
                await self.load(name, state)
            except Exception as second:  # noqa: BLE001 - the first error is the one to raise; the others are put back
                error.add_note(f"The state of {name!r} from before could not be put back: {error_text(second, repr)}")

    def _end(self, name: str, turn: int, answer: TurnTaken) -> None:
        self.on_ended(name, turn, answer)

    async def _make_reachable(self) -> None:
        if self._embedded is not None:
            await self._register()  # which never waits here
            self._embedded.start()
            return
        from symposia.agentchat.teams._message_bytes import share_message_types  # noqa: PLC0415 - as in __init__

        share_message_types(self._team, self._message_types)
        self._runtime.add_message_serializer(self._serializers())
        # Uninterrupted, as removing them: a runtime that is cancelled may or may not have done what it was asked for.
        try:
            await uninterrupted(self._register())
        except BaseException:
            await uninterrupted(self._remove())
            raise

    async def _make_unreachable(self) -> None:
        if self._embedded is not None:
            await self._embedded.stop()  # nothing else uses it, so its actors may stay
        else:
            await uninterrupted(self._remove())

    async def _register(self) -> None:
        for agent_type, make in self._factories.items():
            if agent_type not in self._registered:
                await self._runtime.register_factory(agent_type, make)
                self._registered.add(agent_type)

    async def _remove(self) -> None:
        # One by one: if the runtime fails, the rest is removed the next time.
        while self._registered:
            agent_type = next(iter(self._registered))
            await self._runtime.remove_agent_type(agent_type)
            self._registered.discard(agent_type)

    def _serializers(self) -> Sequence[MessageSerializer[Any]]:
        from symposia.agentchat.teams._message_bytes import team_message_serializers  # noqa: PLC0415 - as in __init__

        models = [ParticipantCommand, ReportChanges, StateChanges]
        return [
            *team_message_serializers(),
            *(one for cls in models for one in try_get_known_serializers_for_type(cls)),
        ]


class _Reachable(AbstractAsyncContextManager[None]):
    """Keeps the participants of a team reachable. A class, since every run enters one: a generator costs four times."""

    __slots__ = ("_participants",)

    def __init__(self, participants: Participants) -> None:
        self._participants = participants

    async def __aenter__(self) -> None:
        await self._participants.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._participants.release()


class _Listener(BaseAgent):
    """The team's own actor: receives the events of the participants."""

    def __init__(self, participants: Participants) -> None:
        super().__init__("Receives the events of a team's participants.")
        self._participants = participants

    @override
    async def on_message_impl(self, message: object, ctx: MessageContext) -> None:
        """Pass the events on."""
        if not isinstance(message, ParticipantEvents):
            raise CantHandleException(f"A team handles ParticipantEvents, not {type(message).__name__}.")
        self._participants.on_events(message)

    async def save_state(self) -> SavedState:
        """Return an empty state: the listener keeps nothing."""
        return {}

    async def load_state(self, state: SavedState) -> None:
        """Ignore the state, which is empty."""


def _ignore(*_events: object) -> None:
    """Drop the events: no engine receives them yet."""


def _agent_types(*names: str) -> Sequence[str]:
    """For each name one of its own in the characters that an agent type may have.

    Different names may become equal, and a participant may be called as the team's own actor is.
    """
    types: dict[str, None] = {}
    for name in names:
        agent_type = re.sub(r"[^\w\-.]", "_", name)
        while agent_type in types:
            agent_type += "_"
        types[agent_type] = None
    return list(types)
