"""Making agents on their first message, and other work with agents between their messages.

Such work has a turn of the agent, as its messages have, so no message is handled meanwhile. It runs in a context of its
own, in which its requests are known as those of its call, but no agent counts as handling a message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import copy_context
from typing import TypeAlias, TypeVar, cast

from symposia.core._agent_runtime import Agent, AgentRuntime
from symposia.core._cancellation_token import cancel_and_wait
from symposia.core._logging import ROOT_LOGGER_NAME
from symposia.core._runtime._mailbox import Call, Mailbox
from symposia.core._runtime._observer import tell_construction_failed
from symposia.core._runtime._steps import ENDED, awaiting_call, begin_work, resume, run_work
from symposia.core._runtime._supervision import Supervisor
from symposia.core.exceptions import RuntimeStoppedError
from symposia.core.runtimes import Failures

T = TypeVar("T")
logger = logging.getLogger(ROOT_LOGGER_NAME)

Admission: TypeAlias = "asyncio.Future[asyncio.Future[None] | None]"
"""Done when a held message gets in, with what `Mailbox.take_turn` returned then."""


class Activation:
    """Makes the agents of a runtime, and works with them between their messages.

    Args:
        runtime: What agents are made for.
        supervisor: The supervisor of the runtime's calls.
        failures: Takes what `maintain` raises.
        ensure_worker: Starts a worker for the mailboxes that are ready, if none runs.
    """

    def __init__(
        self, runtime: AgentRuntime, supervisor: Supervisor, failures: Failures, ensure_worker: Callable[[], None]
    ) -> None:
        self._runtime = runtime
        self._supervisor = supervisor
        self._failures = failures
        self._ensure_worker = ensure_worker

    # Making an agent, in the turn of the call that needs it

    def begin(self, call: Call) -> Awaitable[object] | None:
        """Make the agent of a call that has its turn, as far as that goes without a wait.

        Returns:
            The rest of it; None if the agent is made.
        """
        context = copy_context()
        making = self._make(call)
        try:
            waits_for = context.run(begin_work, call, making)
        except BaseException:
            self._supervisor.release(call)
            raise
        return None if waits_for is ENDED else resume(call, making, context, waits_for)

    async def make(self, call: Call) -> None:
        """Make the agent of a call that has its turn."""
        await run_work(call, self._make(call))

    async def wait_ready(self, call: Call, admission: Admission | None = None) -> None:
        """Wait until a call has its turn and its agent is made."""
        turn = call.mailbox.take_turn(call) if admission is None else await admission
        if turn is not None:
            await turn
        if call.mailbox.agent is None:
            await self.make(call)

    async def _make(self, call: Call) -> None:
        mailbox = call.mailbox
        try:
            agent = await mailbox.kind.make(mailbox.id, self._runtime)
        except Exception as error:
            tell_construction_failed(mailbox.id, error)
            raise
        if mailbox.evicted_state is not None:
            await agent.load_state(mailbox.evicted_state)
        # Only now, with its state: an agent that handles several messages at once begins with all that wait for it. If
        # loading fails, the state stays in the mailbox for the next try.
        mailbox.set_agent(agent)
        self._ensure_worker()

    # Work with agents, in turns of its own

    async def agent(self, mailbox: Mailbox) -> Agent:
        """The mailbox's agent, made now if need be."""
        if mailbox.agent is None:
            call = Call(self._supervisor, mailbox, awaiting_call(), None, None)
            await self._supervisor.supervise(call, self.wait_ready(call))
        return cast("Agent", mailbox.agent)

    async def in_turns(
        self, mailboxes: Iterable[Mailbox], work: Callable[[Agent], Coroutine[object, None, T]]
    ) -> list[T]:
        """Do something with each of some agents, between two of its messages; agents are made if need be.

        Each agent's turn is asked for now, and comes after the messages that the agent has by now. What handlers send
        afterwards comes to its recipients after their turns, so states that are saved like this belong together: none
        has seen the effect of a message whose cause is not in its sender's state. (Agents that are asked one after the
        other differ by what happened in between; if all are held until the last one is free, they wait for each other.)
        """
        parent = awaiting_call()
        calls = [Call(self._supervisor, mailbox, parent, None, None) for mailbox in mailboxes]
        tasks: list[asyncio.Task[T]] = []
        try:
            turns = [call.mailbox.take_turn(call) for call in calls]  # without a wait: no message gets in between
            tasks += [asyncio.create_task(self._in_turn(*each, work)) for each in zip(calls, turns, strict=True)]
            return await asyncio.gather(*tasks)
        finally:
            try:
                await cancel_and_wait(*tasks)
            finally:
                for call in calls:
                    self._supervisor.release(call)  # nothing, unless its task was cancelled before it began

    async def _in_turn(
        self, call: Call, turn: asyncio.Future[None] | None, work: Callable[[Agent], Coroutine[object, None, T]]
    ) -> T:
        async def wait_and_work() -> T:
            if turn is not None:
                await turn
            if call.mailbox.agent is None:
                await self.make(call)
            return await run_work(call, work(cast("Agent", call.mailbox.agent)))

        return cast("T", await self._supervisor.supervise(call, wait_and_work()))

    def maintain(self, mailbox: Mailbox, work: Callable[[], Coroutine[object, None, None]]) -> None:
        """Do something with an agent that is free, in a task. Its errors go to the runtime's owner."""
        call = Call(self._supervisor, mailbox, None, None, None)
        mailbox.grant_turn(call)
        self._supervisor.live[call] = None  # before its task begins, since the runtime is not idle meanwhile
        self._supervisor.start(self._maintain(call, work))

    async def _maintain(self, call: Call, work: Callable[[], Coroutine[object, None, None]]) -> None:
        async def work_and_release() -> None:
            try:
                await work()
            finally:
                # Not `Supervisor.release`, which would count the agent as idle: one that cannot be evicted would be
                # tried again at once.
                call.mailbox.release(call)
                self._ensure_worker()

        try:
            await self._supervisor.supervise(call, run_work(call, work_and_release()))
        except RuntimeStoppedError:
            pass  # the work ends with the runtime
        except Exception as error:
            self._failures.add(error)
            logger.exception("Agent %s could not be evicted", call.mailbox.id)
