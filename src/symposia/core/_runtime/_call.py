"""One message on its way through one agent: the steps of its handler, and what can interrupt them.

A request's handler runs in the task of its caller, which waits for it anyway: a task for each message would cost ten
times what most messages do. Only its context variables must not be the caller's. `asyncio` offers a context of its own
for whole tasks only, so `begin` and `resume` make each step of the handler inside its context, by hand.
"""

from __future__ import annotations

import asyncio
import types
from collections import OrderedDict
from collections.abc import Collection, Coroutine, Generator, Iterator
from contextvars import Context
from typing import Any, Final, Protocol, cast

from symposia.core._agent_id import AgentId
from symposia.core._agent_runtime import Agent
from symposia.core._cancellation_token import CancellationToken
from symposia.core._contexts import handling_agent
from symposia.core._handler_context import current_handler, current_handler_context
from symposia.core._message_context import MessageContext
from symposia.core.runtimes import DeadLetters, deadline_exceeded

FRESH_STACK_EVERY = 20
"""Requests inside requests run on one stack, about 8 frames each; the interpreter stops at 1,000 by default. The rest
is left to the frames of handlers, and to the program below the first request."""


class CallMailbox(Protocol):
    """The mailbox of a call's agent, as far as calls and the graph of their waits go. `Mailbox` is the whole of it."""

    @property
    def id(self) -> AgentId: ...
    @property
    def agent(self) -> Agent | None: ...
    @property
    def running(self) -> Call | None: ...
    @property
    def concurrent(self) -> bool: ...
    @property
    def is_free(self) -> bool: ...
    def waiting_requests(self) -> Iterator[Call]: ...
    def take_turn(self, call: Call) -> asyncio.Future[None] | None: ...
    def grant_turn(self, call: Call) -> None: ...
    def reconsider(self, call: Call) -> None: ...
    def release(self, call: Call) -> None: ...
    def withdraw(self, call: Call) -> None: ...


class UndecidedCalls(Protocol):
    """The waits of a runtime that are to be examined again."""

    def add(self, call: Call, handlers: Collection[Call]) -> None: ...
    def look_again_soon(self, handler: Call) -> None: ...


class CallSupervisor(Protocol):
    """The supervisor of the calls of a runtime, as far as calls go."""

    @property
    def dead_letters(self) -> DeadLetters: ...
    @property
    def undecided(self) -> UndecidedCalls: ...


class Call:
    """A message that one agent handles, or is about to.

    Attributes:
        mailbox: The agent's.
        parent: The call whose handler made this request, and awaits it; None for published messages.
        depth: How many calls stand above this one.
        token: Cancels this call, if the sender gave one.
        deadline: The loop time after which the answer is no longer wanted.
        active: Whether the handler has its turn.
        ended: Whether the outcome is known; what the handler cannot stop (a thread) may still go on.
        answer: The result of the handler, if it never had to wait.
        outer: The call of the same agent inside which this one runs.
        turn: Done when the call may go on, while it waits.
        task: The task that the handler runs in, once it has had to wait for something.
        children: The requests that the handler has made and that had to wait for something, in order.
        host: The call inside which this one runs as soon as those in it have ended, while it waits for that.
        returning: The requests that wait to run inside this call, in order.
        undecided: Waits to be examined again when the handler suspends: see `_wait_graph`.
        reason: Why the call was interrupted, until its caller has received it.
        interrupted: Whether the call was interrupted.
        passed_on: The request that went on to the agent, while this call supervises its intervention handlers.
        passed_on_by: The call that supervises the intervention handlers of this request.
        lingering: Work of the handler that cannot be cancelled, and goes on after it.
        supervisor: The supervisor of the calls of the runtime.
        timer: Interrupts the call at its deadline.
        cancelling: How many requests to cancel the task there were when the call began to wait in it.

    Each field has one writer. The constructor sets the first ones and `supervisor`. `Mailbox` sets those of the turn:
    `active`, `outer`, `turn`, `host`, `returning`. `enlist` and `delist` set `task`, `ended`, `timer`, `cancelling` and
    the parent's `children`; `interrupt` sets `reason`, which `Supervisor` clears, and `interrupted`. `begin` sets
    `answer`, `hold_until` sets `lingering`, `UndecidedWaits` sets `undecided`, and the runtime, where it asks
    intervention handlers, `passed_on` and `passed_on_by`. They are not grouped: an object for each group would have to
    be made, or asked for, with each message.
    """

    # Defaults of the class: most calls are over at once and need none of these, and a message is made of little else.
    active = False
    ended = False
    answer: object = None
    outer: Call | None = None
    turn: asyncio.Future[None] | None = None
    task: asyncio.Task[object] | None = None
    children: dict[Call, None] | None = None
    host: Call | None = None
    returning: OrderedDict[Call, None] | None = None
    undecided: dict[Call, None] | None = None
    reason: BaseException | None = None
    interrupted = False
    passed_on: Call | None = None
    passed_on_by: Call | None = None
    lingering: asyncio.Future[Any] | None = None  # Any: futures are invariant, and the result is not read
    timer: asyncio.TimerHandle | None = None
    cancelling = 0

    def __init__(
        self,
        supervisor: CallSupervisor,
        mailbox: CallMailbox,
        parent: Call | None,
        token: CancellationToken | None,
        deadline: float | None,
    ) -> None:
        self.supervisor = supervisor
        self.mailbox = mailbox
        self.parent = parent
        self.token = token
        self.deadline = deadline
        self.depth = 0 if parent is None else parent.depth + 1

    @property
    def needs_fresh_stack(self) -> bool:
        """Whether the handler must run in a task of its own, since too many others stand on this one's stack."""
        return self.depth > 0 and self.depth % FRESH_STACK_EVERY == 0

    @property
    def is_inside_its_parents_task(self) -> bool:
        """Whether another call of the same runtime has this one in its task, and ends it by ending."""
        parent = self.parent
        return parent is not None and parent.task is self.task and parent.supervisor is self.supervisor

    @property
    def is_queued(self) -> bool:
        """Whether the call waits for its turn."""
        return self.turn is not None and not self.turn.done()

    def chain(self) -> Iterator[Call]:
        """This call, the one that awaits it, and so on."""
        call: Call | None = self
        while call is not None:
            yield call
            call = call.parent

    def interrupt(self, reason: BaseException) -> None:
        """Interrupt the call. Its caller receives `reason`; only the first reason counts."""
        # Without a task it has not begun to wait, or is over already: then there is nothing to cancel, and the task
        # that it ran in does something else by now.
        if self.reason is None and self.task is not None:
            self.reason = reason
            self.interrupted = True
            self.task.cancel()

    def enlist(self) -> None:
        """Note the task of a call that has to wait, so that its deadline and its token can interrupt it."""
        task = self.task = cast("asyncio.Task[object]", asyncio.current_task())
        self.cancelling = task.cancelling()  # to tell other requests to cancel the task from this call's own
        parent = self.parent
        if parent is not None:
            if parent.children is None:
                parent.children = {}
            parent.children[self] = None
        # An inherited deadline has no timer of its own. Two timers of one moment fire in any order, and the error of
        # the outer call, which names all agents that were waited for, must be the one that is raised.
        if self.deadline is not None and (parent is None or parent.deadline != self.deadline):
            self.timer = task.get_loop().call_at(self.deadline, self._expire)
        if self.token is not None:
            self.token.link(self, self._cancel)

    def delist(self) -> None:
        """Mark the call as ended, and detach its task, its deadline and its token."""
        self.task = None
        self.ended = True
        if self.parent is not None and self.parent.children is not None:
            self.parent.children.pop(self, None)
        if self.timer is not None:
            self.timer.cancel()
        if self.token is not None:
            self.token.unlink(self)

    def _expire(self) -> None:
        """Interrupt the call for its deadline."""
        self.interrupt(deadline_exceeded(self.mailbox.id, self._waits_for()))

    def _cancel(self) -> None:
        """Interrupt the call for its token, which may be cancelled in any thread."""
        task = self.task  # read once: the call may end in its own thread between two questions
        if task is None:
            return
        loop = task.get_loop()
        if running_loop() is loop:
            self.interrupt(asyncio.CancelledError())
        else:
            loop.call_soon_threadsafe(self.interrupt, asyncio.CancelledError())

    def _waits_for(self) -> list[AgentId]:
        """The agents that wait for each other's answers, from this one down."""
        call, below = self.passed_on or self, list[AgentId]()
        while call.children:
            call = next(reversed(call.children))
            below.append(call.mailbox.id)
        return below

    def hold_until(self, work: asyncio.Future[Any]) -> None:  # Any: as of `HandlerContext.hold_until`
        """Keep the agent's next message waiting until `work` is done, whatever happens to this call."""
        self.lingering = work

    def report_dead_letter(self, message: object, ctx: MessageContext, reason: str) -> None:
        """Report a message without a recipient: see `HandlerContext`."""
        self.supervisor.dead_letters.report(message, ctx, self.mailbox.id, reason)


ENDED: Final = object()
"""In place of what a handler waits for: it did not wait for anything."""


def begin(call: Call, handler: Coroutine[object, None, object]) -> object:
    """Run a handler to its first wait; to be called inside its own context.

    Most handlers never wait. Their end is caught here and noted on the call: an exception that passes through the
    callers of this costs more than the rest of a message.

    Returns:
        The future that it waits for; `ENDED` if it has ended.
    """
    current_handler.set(call)
    handling_agent.set(call.mailbox.id)  # not reset: the context is the handler's own, and ends with it
    try:
        return handler.send(None)
    except StopIteration as done:
        call.answer = done.value
        return ENDED


@types.coroutine
def resume(
    call: Call, handler: Coroutine[object, None, object], context: Context, waits_for: object
) -> Generator[object, None, object]:
    """Run a handler from its first wait to its end, each step inside its own context."""
    thrown: BaseException | None = None
    while True:
        if call.undecided is not None:
            call.supervisor.undecided.look_again_soon(call)
        try:
            yield waits_for
        except GeneratorExit:
            context.run(handler.close)
            raise
        except BaseException as error:  # noqa: BLE001 - whatever is thrown at the task belongs to the handler
            thrown = error
        try:
            waits_for = context.run(handler.send, None) if thrown is None else context.run(handler.throw, thrown)
        except StopIteration as done:
            return done.value
        finally:
            thrown = None  # its traceback refers to this frame: see `Supervisor.supervise`


def awaiting_call() -> Call | None:
    """The call whose handler is running here, if it still is, and if a runtime of this class runs it."""
    call = current_handler_context()
    return call if isinstance(call, Call) and call.active else None


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs in this thread, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
