"""Requests, deliveries and mailboxes: which message an agent handles next, and which wait for ever.

A *delivery* is one message at one agent; a *request* is a sender that waits for the answer of one. A handler that has
sent a request awaits it, or has put it into a task of its own. Only an awaited request may come back into its sender's
handler, and only awaited requests make a circle. asyncio does not tell when a task begins to await another, so whatever
waits in a queue is looked at again from time to time, with pauses that double. (The embedded runtime also looks when a
handler suspends, which is quicker and needs more code.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

from symposia.core import Agent, AgentId, CancellationToken, MessageContext
from symposia.core.inspection import task_awaits
from symposia.core.runtimes import AgentKind, DeadLetters
from symposia.testing._serializing_runtime._wire import Payload

Work = Callable[[Agent], Coroutine[object, None, Payload]]


@dataclass(eq=False, kw_only=True)
class Request:
    """A sender that waits.

    Attributes:
        recipient: The agent asked; of several, the one that is waited for.
        parent: The delivery whose handler asks; None for the program outside.
        task: The task that waits.
        deadline: The loop time after which no answer is wanted.
        interrupted: Done when the sender is not to wait any longer.
        reason: Why the sender is not to wait any longer, until it has raised that.
        delivery: The delivery of the request, while there is one.
    """

    recipient: AgentId
    parent: Delivery | None
    task: asyncio.Task[object] | None
    deadline: float | None
    interrupted: asyncio.Future[None]
    reason: BaseException | None = None
    delivery: Delivery | None = None

    def interrupt(self, reason: BaseException) -> None:
        """Let the sender wait no longer. Only the first reason counts."""
        if not self.interrupted.done():
            self.reason = reason
            self.interrupted.set_result(None)

    def is_awaited(self) -> bool:
        """Whether the handler that made the request awaits it now."""
        parent = self.parent
        if parent is None or parent.task is None or self.task is None:
            return False
        return parent.is_running and (parent.task is self.task or task_awaits(parent.task, self.task))


@dataclass(eq=False, kw_only=True)
class Delivery:
    """A message at an agent: queued, then running, then ended. It is the `HandlerContext` of its handler.

    Attributes:
        mailbox: The agent's.
        work: The work with the agent.
        dead_letters: Takes the messages without a recipient.
        request: The request that waits for it; None for published messages.
        message: The message, for a published one that is never handled.
        context: The context of the message for its handler.
        deadline: The loop time until which the answer is wanted: requests that the handler makes end then too.
        requests: The requests that its handler has made and that have not ended.
        task: The handler's, while it runs.
        is_queued: Whether it waits for its turn.
        is_running: Whether the handler runs.
        replied: Done when the handler has ended, with the bytes of the reply; never for a delivery that is cancelled.
        lingering: Work that outlasts the handler and keeps the agent busy.
        cancelled: Whether it was given up.
    """

    mailbox: Mailbox
    work: Work
    dead_letters: DeadLetters
    request: Request | None = None
    message: object = None
    context: MessageContext | None = None
    deadline: float | None = None
    requests: dict[Request, None] = field(default_factory=dict[Request, None])
    task: asyncio.Task[Payload] | None = None
    is_queued: bool = False
    is_running: bool = False
    replied: asyncio.Future[bytes | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    lingering: asyncio.Future[Any] | None = None
    cancelled: bool = False

    def hold_until(self, work: asyncio.Future[Any]) -> None:
        """See `HandlerContext`."""
        self.lingering = work

    def report_dead_letter(self, message: object, ctx: MessageContext, reason: str) -> None:
        """See `HandlerContext`."""
        self.dead_letters.report(message, ctx, self.mailbox.id, reason)

    @property
    def parent(self) -> Delivery | None:
        """The delivery whose handler sent this one."""
        return None if self.request is None else self.request.parent

    def awaiting(self) -> Iterator[Delivery]:
        """The deliveries whose handlers await this one, one through the other: the nearest first."""
        request = self.request
        while request is not None and request.parent is not None and request.is_awaited():
            yield request.parent
            request = request.parent.request

    def awaited(self) -> Iterator[Delivery]:
        """The deliveries that the handler awaits."""
        return (one.delivery for one in self.requests if one.delivery is not None and one.is_awaited())


class Mailbox:
    """The messages of one agent.

    Attributes:
        id: The agent's.
        kind: How such agents are made.
        agent: The agent, once made.
        queue: What waits, first in, first out.
        stack: What runs: one delivery, and those that came back along the chain that it awaits, the innermost last.
            Of an agent that handles messages concurrently, all that run.
    """

    def __init__(self, agent_id: AgentId, kind: AgentKind) -> None:
        self.id = agent_id
        self.kind = kind
        self.agent: Agent | None = None
        self.queue: list[Delivery] = []
        self.stack: list[Delivery] = []

    def set_agent(self, agent: Agent) -> None:
        """The agent was made, or registered."""
        self.agent = agent

    @property
    def is_concurrent(self) -> bool:
        """Whether the agent handles several messages at once."""
        return bool(getattr(self.agent, "concurrent", False))

    def take_next(self) -> Delivery | None:
        """Take the delivery that may run now out of the queue, if there is one."""
        # The whole queue is searched, since one that came later may be awaited by what runs. The embedded runtime keeps
        # those in a list of their own, so that a long queue costs nothing.
        for place, delivery in enumerate(self.queue):
            if self.is_concurrent or not self.stack or self._can_nest(delivery):
                del self.queue[place]
                delivery.is_queued = False
                return delivery
        return None

    def add(self, delivery: Delivery) -> None:
        """Put a delivery at the end of the queue."""
        delivery.is_queued = True
        self.queue.append(delivery)

    def withdraw(self, delivery: Delivery) -> None:
        """Take a delivery out of the queue."""
        delivery.is_queued = False
        self.queue.remove(delivery)

    def _can_nest(self, delivery: Delivery) -> bool:
        """Whether the innermost handler awaits a delivery. The making of an agent is no handler yet."""
        return self.agent is not None and self.stack[-1] in delivery.awaiting()

    def blockers(self, queued: Delivery) -> list[Delivery]:
        """The deliveries that have to end before a queued one can run."""
        chain = set(queued.awaiting()) if self.agent is not None else set[Delivery]()
        inner = list[Delivery]()
        for delivery in reversed(self.stack):
            if delivery in chain:
                break
            inner.append(delivery)
        return inner


def find_circle(queued: Delivery) -> list[AgentId] | None:
    """The circle that a delivery closes by waiting in its queue.

    Returns:
        The agents, each of which waits for the next; the first is also the last.
    """
    before: dict[Delivery, Delivery | None] = {queued: None}
    todo = [queued]
    while todo:
        here = todo.pop()
        for delivery in _behind(here):
            if delivery is queued:
                return _drawn(here, before, queued)
            if delivery not in before:
                before[delivery] = here
                todo.append(delivery)
    return None


def _drawn(last: Delivery, before: dict[Delivery, Delivery | None], queued: Delivery) -> list[AgentId]:
    circle = [queued.mailbox.id]
    here: Delivery | None = last
    while here is not None:
        if here.is_running:
            circle.append(here.mailbox.id)
        here = before[here]
    return circle[::-1]


def held_up_by(deliveries: set[Delivery], everything: list[Delivery]) -> set[Delivery]:
    """Some deliveries, and all others that cannot end before one of them has."""
    found = set(deliveries)
    while True:
        more = {one for one in everything if one not in found and _waits_for_one_of(one, found)}
        if not more:
            return found
        found |= more


def _waits_for_one_of(delivery: Delivery, others: set[Delivery]) -> bool:
    return any(one in others for one in _behind(delivery))


def _behind(delivery: Delivery) -> list[Delivery]:
    """What has to end before a delivery can end, or begin."""
    if delivery.is_running:
        return list(delivery.awaited())
    return delivery.mailbox.blockers(delivery) if delivery.is_queued else []


def link(token: CancellationToken | None, key: object, callback: Callable[[], None]) -> None:
    """Call `callback` on this event loop when a token is cancelled, in whatever thread that happens."""
    if token is not None:
        loop = asyncio.get_running_loop()
        token.link(key, lambda: None if loop.is_closed() else _call_on(loop, callback))


def _call_on(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    try:
        here = asyncio.get_running_loop()
    except RuntimeError:
        here = None
    if here is loop:
        callback()
    else:
        loop.call_soon_threadsafe(callback)
