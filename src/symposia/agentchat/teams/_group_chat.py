from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar
from uuid import uuid4

from symposia.agentchat.base import ChatAgent, Task, Team, TerminationCondition
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, MessageFactory
from symposia.agentchat.teams._cast import Cast
from symposia.agentchat.teams._conversation import Conversation
from symposia.agentchat.teams._engine import Engine
from symposia.agentchat.teams._given import others_than
from symposia.agentchat.teams._limits import TeamLimits
from symposia.agentchat.teams._participant import Item, Order
from symposia.agentchat.teams._result import TeamResult
from symposia.agentchat.teams._rule import TeamRule
from symposia.agentchat.teams._run import Run
from symposia.agentchat.teams._saved_team import SavedParticipant, SavedTeam, load_team
from symposia.agentchat.teams._task import task_messages
from symposia.core import AgentRuntime, CancellationToken
from symposia.core.exceptions import InvalidArgumentError, TeamRunningError
from symposia.core.telemetry import workflow_invocation


class BaseGroupChat(Team):
    """A team whose participants share one conversation: what one of them says, all others hear.

    Every team is one of these; they differ by their rule. A run that failed or was cancelled leaves the team able to
    run again.

    Args:
        participants: Agents, and teams that take part as if they were one agent. Their names are unique.
        rule: Who speaks next.
        name: This parameter and those after it are explained at `TeamOptions`.

    Raises:
        InvalidArgumentError: No participant, two of the same name, or a limit of zero or less.
    """

    DEFAULT_NAME: ClassVar[str] = "GroupChat"
    DEFAULT_DESCRIPTION: ClassVar[str] = "A team of agents."
    _manager: ClassVar[str] = "GroupChatManager"
    _manager_state: ClassVar[str] = "BaseGroupChatManagerState"

    def __init__(
        self,
        participants: Sequence[ChatAgent | Team],
        *,
        rule: TeamRule,
        name: str | None = None,
        description: str | None = None,
        termination_condition: TerminationCondition | None = None,
        max_turns: int | None = None,
        turn_timeout: float | timedelta | None = None,
        runtime: AgentRuntime | None = None,
        custom_message_types: Sequence[type[BaseAgentEvent | BaseChatMessage]] | None = None,
        emit_team_events: bool = False,
    ) -> None:
        names = participant_names(participants)
        if self._manager in names:
            raise InvalidArgumentError(f"A participant is called {self._manager!r}, the name of the team's manager.")
        self._name = name or self.DEFAULT_NAME
        self._description = description or self.DEFAULT_DESCRIPTION
        self._rule = rule
        self._limits = TeamLimits(termination_condition, max_turns, turn_timeout)
        self._messages = _message_factory(participants, custom_message_types or ())
        self._conversation = Conversation(names)
        self._cast = Cast(participants, team=str(uuid4()), runtime=runtime)
        self._engine = Engine(
            manager=self._manager,
            rule=rule,
            cast=self._cast,
            conversation=self._conversation,
            limits=self._limits,
            emit_team_events=emit_team_events,
        )
        self._cast.on_happened = self._engine.on_happened
        self._running = False

    @property
    def name(self) -> str:
        """The team's name."""
        return self._name

    @property
    def description(self) -> str:
        """What the team can do."""
        return self._description

    async def run(
        self,
        *,
        task: Task = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> TeamResult:
        """Work on `task` and return the result.

        Args:
            task: What to do: a text, a message or several. None goes on from where the team stood.
            cancellation_token: Cancelling it ends the run at once.
            output_task_messages: Whether the result starts with the messages of the task.

        Raises:
            InvalidArgumentError: `task` is empty or no message.
            TeamRunningError: The team is running.
            asyncio.CancelledError: `cancellation_token` was cancelled.
            Exception: Whatever a participant or the rule raised, with a note that says which.
        """
        messages = task_messages(task)
        with self._claimed():
            running = self._start(messages, Run(cancellation_token), output_task_messages)
            return await running

    async def run_stream(
        self,
        *,
        task: Task = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | TeamResult, None]:
        """Work on `task` and yield what happens as it happens; the last item is the `TeamResult`.

        Leaving the stream early cancels the run. Parameters and errors are those of `run`.
        """
        messages = task_messages(task)
        with self._claimed():
            batches: asyncio.Queue[Sequence[Item] | None] = asyncio.Queue()  # None: the run is over
            running = self._start(messages, Run(cancellation_token, batches.put_nowait), output_task_messages)
            running.add_done_callback(lambda _: batches.put_nowait(None))
            try:
                while (batch := await batches.get()) is not None:
                    for item in batch:
                        yield item
                yield await running
            finally:
                running.cancel()
                await asyncio.wait([running])

    async def pause(self) -> None:
        """Take no further turn until `resume`, and tell the participants, the one that speaks now included."""
        self._engine.going.clear()
        async with self._cast.playing():
            await self._cast.tell_all(Order.PAUSE)

    async def resume(self) -> None:
        """Go on after `pause`."""
        async with self._cast.playing():
            await self._cast.tell_all(Order.RESUME)
        self._engine.going.set()

    async def reset(self) -> None:
        """Forget the conversation, in every participant too.

        Raises:
            TeamRunningError: The team is running.
        """
        with self._claimed():
            async with self._cast.playing():
                await self._cast.tell_all(Order.RESET)
            self._conversation.reset()
            self._rule.reset()
            await self._limits.reset()
            self._engine.going.set()

    async def save_state(self) -> Mapping[str, Any]:
        """The team as JSON. May be called at any time; of a turn that is under way, nothing has happened yet.

        Only a participant that is speaking has its say in that: what it saves then is what it makes of its half turn.
        """
        async with self._engine.steady:
            saved = SavedTeam(
                participants={
                    name: SavedParticipant(own=await self._cast.save(name), unheard=self._conversation.unheard(name))
                    for name in self._conversation.names
                },
                transcript=self._conversation.transcript,
                turns=self._conversation.turns,
                rule=self._engine.rule_state(),
            )
            return saved.dump(self._manager, self._manager_state)

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state, also one of AutoGen 0.7.5. If it cannot be read, nothing is changed.

        Raises:
            TeamRunningError: The team is running.
            InvalidArgumentError: It was saved by a team of other participants, or of another kind.
            RegistrationError: It holds messages of a type that is not known: see `custom_message_types`.
            pydantic.ValidationError: It is no state of a team.
        """
        with self._claimed():
            saved = load_team(state, self._conversation.names, self._manager, self._messages)
            self._rule.load_state(saved.rule)
            for name, participant in saved.participants.items():
                await self._cast.load(name, participant.own)
            self._conversation.load(
                saved.transcript,
                turns=saved.turns,
                unheard={name: participant.unheard for name, participant in saved.participants.items()},
            )

    @contextmanager
    def _claimed(self) -> Generator[None]:
        """Have the team for oneself."""
        if self._running:
            raise TeamRunningError(
                f"The team {self._name!r} is already running, it cannot run again until it is stopped: wait for its "
                "run to end, or cancel it."
            )
        self._running = True
        try:
            yield
        finally:
            self._running = False

    def _start(self, task: Sequence[BaseChatMessage], run: Run, output_task: bool) -> asyncio.Task[TeamResult]:
        """Run as a task of its own, which the token can cancel without cancelling the caller."""
        running = asyncio.create_task(self._play(task, run, output_task))
        if run.cancellation_token is not None:
            run.cancellation_token.link_future(running)
        return running

    async def _play(self, task: Sequence[BaseChatMessage], run: Run, output_task: bool) -> TeamResult:
        if output_task and task:
            run.happened(task)
        view = workflow_invocation(self._name)
        with view, view.current():
            async with self._cast.playing():
                reason = await self._engine.run(task, run)
        return TeamResult(messages=run.messages, stop_reason=reason, silent_usage=run.silent_usage)


class GroupChat(BaseGroupChat):
    """A team by a rule of your own: an object with `decide`, `save_state`, `load_state` and `reset` (`TeamRule`).

    Args and errors are those of `BaseGroupChat`:

        GroupChat([writer, critic], rule=MyRule(), termination_condition=MaxMessageTermination(10))
    """


def participant_names(participants: Sequence[ChatAgent | Team]) -> list[str]:
    """The names of the participants, which have to be there and to differ.

    Raises:
        InvalidArgumentError: They do not.
    """
    if not participants:
        raise InvalidArgumentError("At least one participant is required.")
    if wrong := others_than(ChatAgent | Team, participants):
        raise InvalidArgumentError(f"A participant has to be a ChatAgent or a Team, and this is none: {wrong[0]!r}")
    names = [participant.name for participant in participants]
    if len(set(names)) < len(names):
        raise InvalidArgumentError(f"The participant names must be unique. These are not: {names}")
    return names


def _message_factory(
    participants: Sequence[ChatAgent | Team], custom: Sequence[type[BaseAgentEvent | BaseChatMessage]]
) -> MessageFactory:
    factory = MessageFactory()
    produced = [one for each in participants if isinstance(each, ChatAgent) for one in each.produced_message_types]
    for message_type in (*custom, *produced):
        if not factory.is_registered(message_type):
            factory.register(message_type)
    return factory
