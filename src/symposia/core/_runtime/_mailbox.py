"""One agent's mailbox and the calls in it: which call has the turn, and which comes next.

Everything that decides the order in which an agent handles its messages stands here. A turn is handed over directly
from the call that ends to the one that comes next, within one step of the event loop, so nothing can slip in between.
(With a lock that is released and acquired again, a request that arrives in that step overtakes the queue.)

Calls nest: a request that comes back along the chain that its agent awaits runs inside the call that awaits it, its
*host*. So the turn is a stack, of which `running` is the top, and there are two ways to get it. Messages from elsewhere
wait in `queue` for the stack to be empty. Requests that have a host wait for it to be the top again; they are in the
queue as well, since their host may stop awaiting them, and then they keep their place in it.

Every way in and out costs the same however many wait. A request that is given up, or runs inside its host, is only
marked in the queue, and the queue is rebuilt when more than half of it is marked: one step for each request on average.
(To remove each at once, a deque is searched; an `OrderedDict` is not, but makes each published message dearer.)
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Protocol

from symposia.core._agent_id import AgentId
from symposia.core._agent_runtime import Agent
from symposia.core._cancellation_token import CancellationToken
from symposia.core._message_context import MessageContext
from symposia.core._task_waits import task_awaits
from symposia.core.exceptions import DeadlockError
from symposia.core.runtimes import AgentKind, DeadLetters, DeliveredContext


class WaitExaminer(Protocol):
    """The wait graph of a runtime, for the calls in it: `_wait_graph.WaitGraph`."""

    def examine(self, call: Call) -> None:
        """Look for a circle that a call closes by waiting for its turn, now and when handlers above it suspend.

        Raises:
            DeadlockError: There is a circle.
        """
        ...

    def look_again_soon(self, handler: Call) -> None:
        """Examine the undecided waits of a handler that suspends."""
        ...


class CallSupervisor(Protocol):
    """The supervisor of the calls of a runtime, for the calls: `_supervision.Supervisor`."""

    @property
    def dead_letters(self) -> DeadLetters: ...
    @property
    def waits(self) -> WaitExaminer: ...


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

    Each field has one writer: the constructor sets the first ones and `supervisor`; `Mailbox` those of the turn
    (`active`, `outer`, `turn`, `host`, `returning`); `Supervisor` those of interruption (`task`, `ended`, `children`,
    `reason`, `interrupted`, `timer`, `cancelling`); `_steps` sets `answer`, `hold_until` sets `lingering`, `WaitGraph`
    sets `undecided`, and the runtime, where it asks intervention handlers, `passed_on` and `passed_on_by`. They are not
    grouped: an object for each group would have to be made, or asked for, with each message.
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
        mailbox: Mailbox,
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
    def is_queued(self) -> bool:
        """Whether the call waits for its turn."""
        return self.turn is not None and not self.turn.done()

    @property
    def is_awaited(self) -> bool:
        """Whether the handler that made this request awaits it, and nothing else that could end before."""
        parent = self.parent
        if parent is None or not parent.active or parent.ended:
            return False
        above, task = parent.task, self.task
        if above is task and above is not None:
            return True
        # A call has no task before its first wait. It runs at this moment then, so its task is the present one.
        current = asyncio.current_task()
        above = above or current
        task = task or current
        return above is task or (above is not None and task is not None and task_awaits(above, task))

    def chain(self) -> Iterator[Call]:
        """This call, the one that awaits it, and so on."""
        call: Call | None = self
        while call is not None:
            yield call
            call = call.parent

    def awaiting_chain(self) -> Iterator[Call]:
        """The calls that await this one, one through the other: the nearest first."""
        below, above = self, self.parent
        while above is not None and below.is_awaited:
            yield above
            below, above = above, above.parent

    def hold_until(self, work: asyncio.Future[Any]) -> None:  # Any: as of `HandlerContext.hold_until`
        """Keep the agent's next message waiting until `work` is done, whatever happens to this call."""
        self.lingering = work

    def report_dead_letter(self, message: object, ctx: MessageContext, reason: str) -> None:
        """Report a message without a recipient: see `HandlerContext`."""
        self.supervisor.dead_letters.report(message, ctx, self.mailbox.id, reason)


@dataclass(frozen=True, slots=True, eq=False)
class Publication:
    """A published message on its way to several agents.

    Attributes:
        message: The published message.
        ctx: The context of the message for each handler.
        token: Cancels its handlers, if the publisher gave one.
        context: The publisher's context variables.
    """

    message: object
    ctx: DeliveredContext
    token: CancellationToken | None
    context: Context


class Mailbox:
    """The messages of one agent, first in, first out.

    Attributes:
        id: The agent's.
        kind: How such agents are made.
        agent: The agent, once made.
        concurrent: Whether the agent handles several messages at the same time.
        running: The call whose turn it is: the innermost, if calls run inside each other.
        evicted_state: The state of the evicted agent, for its next instance.
        queue: What waits for its turn, and requests that do not any more; made when first needed, since most agents
            never have a second message waiting. If nothing runs, its first item waits.
        gone: How many of the requests in the queue do not wait any more.
        ready: The mailboxes of the runtime that have a published message next.
    """

    __slots__ = ("agent", "concurrent", "evicted_state", "gone", "id", "kind", "queue", "ready", "running")

    def __init__(self, id_: AgentId, kind: AgentKind, ready: deque[Mailbox]) -> None:
        self.id = id_
        self.kind = kind
        self.agent: Agent | None = None
        self.concurrent = False
        self.running: Call | None = None
        self.evicted_state: Mapping[str, Any] | None = None
        self.queue: deque[Call | Publication] | None = None
        self.gone = 0
        self.ready = ready

    @property
    def is_free(self) -> bool:
        """Whether there is an agent that has nothing to do."""
        return self.agent is not None and self.is_vacant

    @property
    def is_vacant(self) -> bool:
        """Whether a message that comes now has its turn at once."""
        return (self.running is None and not self.queue) or self.concurrent

    @property
    def waiting_count(self) -> int:
        """How many messages wait for their turn."""
        return len(self.queue or ()) - self.gone

    def waiting_requests(self) -> Iterator[Call]:
        """The requests that wait for their turn, in order."""
        return (item for item in self.queue or () if isinstance(item, Call) and item.is_queued)

    def set_agent(self, agent: Agent) -> None:
        """Take the agent, which was made, and let in what waits for it if it is concurrent."""
        self.agent = agent
        self.evicted_state = None
        if getattr(agent, "concurrent", False):
            self.concurrent = True
            self.running = None  # the call that made it has no turn to give back: there are none any more
            self._admit_everything()

    def evict(self, state: Mapping[str, Any]) -> None:  # Any: the values of AutoGen's states
        """Forget the agent, but not its state."""
        self.agent = None
        self.evicted_state = state

    def take_turn(self, call: Call) -> asyncio.Future[None] | None:
        """Give `call` the turn.

        Returns:
            None if it has the turn now, else a future that is done when it has.

        Raises:
            DeadlockError: It would wait for itself.
        """
        if self.is_vacant:
            self.grant_turn(call)
            return None
        call.host = self._find_host(call)
        if call.host is not None and call.host is self.running:
            self.grant_turn(call)
            return None
        call.turn = asyncio.get_running_loop().create_future()
        self._enqueue(call)
        if call.host is not None:
            _queue_inside(call.host, call)
        # Examined when it is in the queue, since the search starts from there. The request that closes the circle gets
        # the error.
        try:
            call.supervisor.waits.examine(call)
        except DeadlockError:
            self.withdraw(call)
            raise
        return call.turn

    def grant_turn(self, call: Call) -> None:
        """Give `call` the turn, which is free, or which a call that awaits it has."""
        call.active = True
        if not self.concurrent:
            call.outer = self.running
            self.running = call

    def reconsider(self, call: Call) -> None:
        """Find the place of a waiting request again, since some handler awaits now what it had in the background.

        It runs inside its new host, keeps waiting, or ends with a `DeadlockError` in its turn's future.
        """
        self._leave_host(call)
        call.host = self._find_host(call)
        if call.host is not None and call.host is self.running:
            self._admit(call)
            return
        if call.host is not None:
            _queue_inside(call.host, call)
        try:
            call.supervisor.waits.examine(call)
        except DeadlockError as error:
            turn = call.turn
            self.withdraw(call)
            if turn is not None:
                turn.set_exception(error)

    def withdraw(self, call: Call) -> None:
        """Forget a request that waits for its turn no longer."""
        call.turn = None  # marks it as gone
        self._leave_host(call)
        queue = self.queue
        if queue and queue[0] is call:  # the common case: it has come to its turn
            del queue[0]
            return
        self.gone += 1
        if queue is not None and 2 * self.gone > len(queue):
            self.queue = deque(item for item in queue if isinstance(item, Publication) or item.turn is not None)
            self.gone = 0

    def post(self, publication: Publication) -> None:
        """Accept a published message."""
        if self.is_vacant:
            self.ready.append(self)
        self._enqueue(publication)

    def next_publication(self) -> Publication | None:
        """Take what has come to the head of the queue, for the worker that found this mailbox ready.

        Returns:
            None if it was withdrawn meanwhile, by a cancelled token or a stop; then the turn is handed on.
        """
        # Between the moment in which the mailbox became ready and this one, its head may have been drained by a stop,
        # and a request that came then may have taken the turn. So nothing is taken for granted here.
        queue = self.queue
        if self.running is not None or not queue:
            return None
        item = queue[0]
        if isinstance(item, Publication):
            del queue[0]
            if item.token is None or not item.token.is_cancelled():
                return item
        if queue:
            self._hand_on()
        return None

    def release(self, call: Call) -> None:
        """End the turn of `call`, and hand it on."""
        call.active = False
        if self.running is call:
            self.running = call.outer
        elif self.running is not None:
            self._unstack(call)  # its handler left a request in the background that runs inside it
        if call.returning:  # it has ended without their answers: they look for another host, or keep their place
            for inner in list(call.returning):
                self._leave_host(inner)
                inner.host = self._find_host(inner)
                if inner.host is not None:
                    _queue_inside(inner.host, inner)
        if self.queue:
            self._hand_on()

    def drain(self) -> list[Publication]:
        """Take every published message that still waits; requests are interrupted, each by itself."""
        waiting = [item for item in self.queue or () if isinstance(item, Publication)]
        if waiting:
            self.queue = deque(item for item in self.queue or () if isinstance(item, Call) and item.turn is not None)
            self.gone = 0
        return waiting

    def _enqueue(self, item: Call | Publication) -> None:
        if self.queue is None:
            self.queue = deque()
        self.queue.append(item)

    def _find_host(self, call: Call) -> Call | None:
        """The innermost call of this agent that awaits `call`, through others. An agent that is being made has none."""
        if call.parent is None or self.agent is None:
            return None
        return next((one for one in call.awaiting_chain() if one.mailbox is self and one.active), None)

    def _leave_host(self, call: Call) -> None:
        host, call.host = call.host, None
        if host is not None and host.returning:
            host.returning.pop(call, None)

    def _hand_on(self) -> None:
        """Give the turn to the next in line, if the agent has come to it.

        First those that run inside the call on top of the stack, since it waits for them; then the queue. The other
        order would be a circle: the queue waits for the stack to be empty.
        """
        while self.running is not None and self.running.returning:
            call = next(iter(self.running.returning))
            if self._find_host(call) is self.running:
                self._admit(call)
                return
            self.reconsider(call)  # no longer awaited: it takes its place in the queue, or inside another call
        while self.running is None and self.queue:
            item = self.queue[0]
            if isinstance(item, Publication):
                self.ready.append(self)
                return
            if item.is_queued:
                self._admit(item)
            elif item.turn is None:
                del self.queue[0]
                self.gone -= 1
            else:
                self.withdraw(item)  # cancelled in this very step of the loop

    def _admit(self, call: Call) -> None:
        """Give a waiting request its turn."""
        turn = call.turn
        self.withdraw(call)
        if turn is not None and not turn.done():
            self.grant_turn(call)
            turn.set_result(None)

    def _admit_everything(self) -> None:
        """Let in what came while a concurrent agent was being made."""
        waiting, self.queue, self.gone = self.queue or (), None, 0
        for item in waiting:
            if isinstance(item, Publication):
                self.post(item)
            elif item.turn is not None:
                self._admit(item)
        self.gone = 0

    def _unstack(self, call: Call) -> None:
        """Forget a call that ended before one that ran inside it."""
        inner = self.running
        while inner is not None:
            if inner.outer is call:
                inner.outer = call.outer
                return
            inner = inner.outer


def _queue_inside(host: Call, call: Call) -> None:
    if host.returning is None:
        host.returning = OrderedDict()
    host.returning[call] = None
