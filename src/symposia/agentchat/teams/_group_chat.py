"""The team as its users see it: run, stream, pause, save, load. It holds the parts of a team and puts them together."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ClassVar, Unpack
from uuid import uuid4

from pydantic import BaseModel
from typing_extensions import override

from symposia.agentchat import base, checks
from symposia.agentchat._arguments import check_state, check_token
from symposia.agentchat._prices import ANSWER_TOKENS
from symposia.agentchat.base import ChatAgent, Task, TaskResult, Team, task_messages
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    Item,
    MessageType,
)
from symposia.agentchat.teams._claims import Claims
from symposia.agentchat.teams._engine import Engine
from symposia.agentchat.teams._limits import TeamLimits
from symposia.agentchat.teams._log import TeamLog
from symposia.agentchat.teams._log_entries import TeamLogListener, check_listener
from symposia.agentchat.teams._messages import ParticipantCommand
from symposia.agentchat.teams._options import (
    TeamOptions,
    check_options,
    message_factory,
    participant_names,
    savable_message_types,
)
from symposia.agentchat.teams._participants import Participants
from symposia.agentchat.teams._record import TeamRecord
from symposia.agentchat.teams._rule import OutlinedRule, TeamRule, Transcript, check_rule
from symposia.agentchat.teams._run import Run
from symposia.agentchat.teams._saved_team import load_team
from symposia.agentchat.teams._saving import TeamSaver
from symposia.core import CancellationToken, cancel_and_wait, uninterrupted
from symposia.core.changes import Change, SavedState
from symposia.core.effects import RecurringScope, current_scope
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import TokenPrice, usage_attributes
from symposia.core.telemetry import workflow_invocation


class BaseGroupChat(Team):
    """A team whose participants share one conversation: what one of them says, all others receive.

    Every team is one of these; they differ by their rule. A run that failed or was cancelled leaves the team able to
    run again.

    Args:
        participants: Agents, and teams that take part as if they were one agent. Their names are unique.
        rule: Who speaks next.
        options: See `TeamOptions`.

    Raises:
        ArgumentTypeError: An argument does not exist or is of another type, or `rule` has not the methods of a rule.
        InvalidArgumentError: No participant, two of the same name, or a limit of zero or less.
    """

    component_transient = frozenset({"runtime"})
    DEFAULT_NAME: ClassVar[str] = "GroupChat"
    DEFAULT_DESCRIPTION: ClassVar[str] = "A team of agents."
    _manager: ClassVar[str] = "GroupChatManager"
    _manager_state: ClassVar[str] = "BaseGroupChatManagerState"

    def __init__(
        self, participants: Sequence[ChatAgent | Team], *, rule: TeamRule, **options: Unpack[TeamOptions]
    ) -> None:
        check_options(self, options, self.DEFAULT_NAME)
        names = participant_names(participants)
        if self._manager in names:
            raise InvalidArgumentError(f"A participant is called {self._manager!r}, the name of the team's manager.")
        self._name = options.get("name") or self.DEFAULT_NAME
        check_rule(self._name, rule)
        self._description = options.get("description") or self.DEFAULT_DESCRIPTION
        self._rule = rule
        self._condition = options.get("termination_condition")
        self._max_turns = options.get("max_turns")
        self._emit_team_events = options.get("emit_team_events", False)
        self._members = tuple(participants)
        custom = options.get("custom_message_types")
        self._messages = message_factory(f"the team {self._name!r}", participants, custom or ())
        self._produced = self._messages.registered
        if self._produced:
            self._share_message_types()
        self._record = TeamRecord(names)
        self._participants = Participants(
            participants, team=str(uuid4()), runtime=options.get("runtime"), message_types=self._messages
        )
        self._connect(TeamLimits(self._condition, self._max_turns, options.get("turn_timeout")))
        self._claims = Claims(self._name)
        self._scope = RecurringScope(f"team:{self._name}")

    def _connect(self, limits: TeamLimits) -> None:
        """Make the parts that work together: what saves the team, its log, and the engine."""
        self._saver = TeamSaver(
            team=self._name,
            manager=self._manager,
            state_type=self._manager_state,
            rule=self._rule,
            limits=limits,
            participants=self._participants,
            record=self._record,
        )
        self._log = TeamLog(self._record, self._saver)
        self._engine = Engine(
            team=self._name,
            manager=self._manager,
            rule=self._rule,
            participants=self._participants,
            record=self._record,
            limits=limits,
            log=self._log,
            lock=self._saver.lock,
            emit_team_events=self._emit_team_events,
        )
        self._participants.on_events = self._engine.on_events
        self._participants.on_ended = self._engine.on_ended

    def _to_config(self) -> BaseModel:
        """The arguments, each class of structured messages as the factory that makes it."""
        custom = self._constructor_arguments().get("custom_message_types")
        return self._derived_config(custom_message_types=None if custom is None else savable_message_types(custom))

    @property
    def name(self) -> str:
        """The team's name."""
        return self._name

    @property
    def description(self) -> str:
        """What the team can do."""
        return self._description

    @property
    def produced_message_types(self) -> Sequence[MessageType]:
        """The types of messages that its participants produce, and its custom ones, beyond the library's own."""
        return self._produced

    @override
    def learn_message_types(self, message_types: Sequence[MessageType]) -> None:
        """Register classes of messages that the team may receive, also with its participants."""
        for message_type in message_types:
            self._messages.add(message_type)
        self._share_message_types()

    def _share_message_types(self) -> None:
        """Register all classes with the participants: a nested team keeps the messages of the others in its state."""
        for member in self._members:
            member.learn_message_types(self._messages.registered)

    @property
    def transcript(self) -> Transcript:
        """Every message and event of the conversation so far, the task's first. Not to be changed."""
        return self._record.transcript

    def check(
        self,
        task: Task = None,
        *,
        answer_tokens: tuple[int, int] = ANSWER_TOKENS,
        prices: Mapping[str, TokenPrice] | None = None,
    ) -> checks.TeamCheck:
        """Look for mistakes in the team and forecast what a run takes, without asking a model or anything else outside.

        Nested teams are checked too, and the agents and teams inside of agents and tools. Custom parts take part by
        `check_outline`; parts without an outline are left out.

        Args:
            task: The task of the run, whose tokens are counted.
            answer_tokens: The assumed tokens of an answer, at least and at most.
            prices: The prices of models by their names. They take precedence over the vendors' list prices.

        Raises:
            InvalidArgumentError: `task` is empty or no message.
            ArgumentTypeError: `task` is of another type.
        """
        return checks.check_team(self, task, answer_tokens=answer_tokens, prices=prices)

    def check_outline(self) -> base.TeamOutline:
        """The outline of this team for `check`."""
        participants = {each.name: base.participant_outline(each.name, each.check_outline) for each in self._members}
        rule, given = base.RuleOutline(), self._rule
        if is_known := isinstance(given, OutlinedRule):
            rule = base.part_outline("The rule", base.RuleOutline, lambda: given.check_outline(participants))
        profile = base.TeamProfile(participants, rule.speakers, rule_is_known=is_known)
        condition = None
        if (end := self._condition) is not None:
            condition = base.part_outline("The condition", base.ConditionOutline, lambda: end.check_outline(profile))
        return base.TeamOutline(
            name=self._name,
            participants=participants,
            rule=rule,
            condition=condition,
            max_turns=self._max_turns,
            members={each.name: each for each in self._members},
        )

    async def run(
        self,
        *,
        task: Task = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> TaskResult:
        """Work on `task` and return the result.

        Args:
            task: What to do: a text, a message or several. None continues from where the team stopped.
            cancellation_token: Cancelling it ends the run at once.
            output_task_messages: Whether the result starts with the messages of the task.

        Raises:
            InvalidArgumentError: `task` is empty or no message.
            ArgumentTypeError: `task` or `cancellation_token` is of another type.
            TeamRunningError: The team is running.
            asyncio.CancelledError: `cancellation_token` was cancelled.
            Exception: Whatever a participant or the rule raised, with a note that says which.
        """
        messages = task_messages(task)
        check_token(cancellation_token)
        await self._claims.free()
        with self._claims.claim():
            return await self._start(messages, self._new_run(cancellation_token, output_task_messages, None))

    def run_stream(
        self,
        *,
        task: Task = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | TaskResult, None]:
        """Work on `task` and yield what happens as it happens; the last item is the `TaskResult`.

        Leaving the stream early cancels the run. Parameters and errors are those of `run`.
        """
        # The stream is given a weak reference to itself, which cannot exist before it.
        self_reference: list[Callable[[], object | None]] = []
        stream = self._stream(self_reference, task, cancellation_token, output_task_messages)
        self_reference.append(weakref.ref(stream))
        return stream

    async def _stream(
        self,
        self_reference: Sequence[Callable[[], object | None]],
        task: Task,
        token: CancellationToken | None,
        output_task: bool,
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | TaskResult, None]:
        messages = task_messages(task)
        check_token(token)
        await self._claims.free()
        with self._claims.claim(self_reference[0]):
            batches: asyncio.Queue[Sequence[Item] | None] = asyncio.Queue()  # None: the run is over
            running = self._start(messages, self._new_run(token, output_task, batches.put_nowait))
            running.add_done_callback(lambda _: batches.put_nowait(None))
            try:
                while (batch := await batches.get()) is not None:
                    for item in batch:
                        yield item
            except BaseException:
                # To its end, however often the reader is cancelled meanwhile: the team is free afterwards.
                await cancel_and_wait(running)
                if not running.cancelled():
                    running.result()  # raises what ended it otherwise
                raise
            result = await running
        yield result  # the team is free: a reader that keeps the stream open behind its last item may use it again

    async def pause(self) -> None:
        """Take no further turn until `resume`, and tell the participants, the one that speaks now included.

        Raises:
            Exception: What a participant raised. The others were told, and the team is paused.
        """
        self._engine.pause.begin()
        try:
            async with self._participants.reachable():
                await self._participants.tell_all(ParticipantCommand(action="pause"))
        except Exception as error:
            error.add_note(f"The team {self._name!r} is paused: resume() lets it continue.")
            raise

    async def resume(self) -> None:
        """Continue after `pause`.

        Raises:
            Exception: What a participant raised. The others were told, and the team continues.
        """
        try:
            async with self._participants.reachable():
                await self._participants.tell_all(ParticipantCommand(action="resume"))
        finally:
            self._engine.pause.end()

    async def reset(self) -> None:
        """Forget the conversation, in every participant too. Cancelling it takes effect when all have forgotten.

        Raises:
            TeamRunningError: The team is running.
            Exception: What a participant raised. The others have forgotten, and so has the team.
        """
        await self._claims.free()
        with self._claims.claim():
            await uninterrupted(self._reset())

    async def _reset(self) -> None:
        try:
            async with self._participants.reachable(), self._saver.lock, self._saver.refused_during("reset"):
                try:
                    await self._participants.tell_all(ParticipantCommand(action="reset"))
                finally:
                    await self._engine.reset()
        finally:
            await self._log.write_state()

    async def save_state(self) -> SavedState:
        """The team as JSON. May be called at any time; a turn under way is saved as if it were cancelled now.

        A state that is saved in the middle of a run holds how far the termination condition is, and the next run of the
        team that loads it continues there. The state of a participant that is speaking is what the participant itself
        makes of its unfinished turn.
        """
        return await self._saver.save_state()

    async def save_changes(self, since: object | None) -> tuple[Change | None, object]:
        """The change of the state since a mark; see `symposia.core.changes.IncrementalState`."""
        return await self._saver.save_changes(since)

    def log_to(self, listener: TeamLogListener) -> AbstractAsyncContextManager[None]:
        """Write what happens in the team to `listener`, beginning with the whole state: see `TeamLogListener`.

        Raises:
            ArgumentTypeError: `listener` has no method `write`.
            TeamRunningError: The team is running when the context is entered.
        """
        check_listener(self._name, listener)
        return self._logging_to(listener)

    @asynccontextmanager
    async def _logging_to(self, listener: TeamLogListener) -> AsyncGenerator[None]:
        await self._claims.free()
        with self._claims.claim():
            await self._log.attach(listener)
        try:
            yield
        finally:
            self._log.detach(listener)

    async def load_state(self, state: SavedState) -> None:
        """Continue from a saved state, also one of AutoGen 0.7.5. If any part of it cannot be loaded, nothing changes.

        Raises:
            TeamRunningError: The team is running.
            ArgumentTypeError: It is no mapping, but for instance JSON text.
            InvalidArgumentError: It was saved by a team of other participants, of another kind, or with another
                termination condition; or it contradicts itself.
            RegistrationError: It holds messages of a type that is not known: see `custom_message_types`.
            pydantic.ValidationError: It is no state of a team.
            Exception: Whatever a participant raised.
        """
        check_state(f"the team {self._name!r}", state)
        await self._claims.free()
        with self._claims.claim():
            before = self._record.turns, self._record.runs
            await self._saver.load(load_team(state, self._name, self._record.names, self._manager, self._messages))
            if self._record.turns < before[0] or self._record.runs < before[1]:
                self._scope.forget()  # it will take turns under numbers that it has used already
            await self._log.write_state()

    def _new_run(
        self, token: CancellationToken | None, output_task: bool, stream: Callable[[Sequence[Item]], None] | None
    ) -> Run:
        return Run(token, output_task=output_task, emits_team_events=self._emit_team_events, stream=stream)

    def _start(self, task: Sequence[BaseChatMessage], run: Run) -> asyncio.Task[TaskResult]:
        """Run as a task of its own, which the token can cancel without cancelling the caller."""
        if run.cancellation_token is not None and run.cancellation_token.is_cancelled():
            raise asyncio.CancelledError  # before an eager task would begin with its first step
        running = asyncio.create_task(self._run(task, run))
        if run.cancellation_token is not None:
            run.cancellation_token.link_future(running)
        return running

    async def _run(self, task: Sequence[BaseChatMessage], run: Run) -> TaskResult:
        activity = workflow_invocation(self._name)
        with activity, activity.current(), self._scope.enter():
            run.is_scoped = bool(current_scope().segments)
            async with self._participants.reachable():
                result = run.result(await self._engine.run(task, run))
                activity.note(lambda: usage_attributes(result.usage))
                return result


class GroupChat(BaseGroupChat):
    """A team by a rule of your own: an object with `decide`, `save_state`, `load_state` and `reset` (`TeamRule`).

    Args and errors are those of `BaseGroupChat`:

        GroupChat([writer, critic], rule=MyRule(), termination_condition=MaxMessageTermination(10))
    """
