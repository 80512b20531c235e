"""One agent's mailbox: who has the turn, and who comes next.

Everything that decides the order in which an agent handles its messages stands here. A turn is handed over directly
from the call that ends to the one that comes next, so nothing can slip in between.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from contextvars import Context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symposia.core._agent_id import AgentId
from symposia.core._agent_runtime import Agent
from symposia.core._cancellation_token import CancellationToken
from symposia.core._runtime._call import Call
from symposia.core._runtime._delivered_context import DeliveredContext
from symposia.core._runtime._wait_graph import refuse_deadlock

if TYPE_CHECKING:
    from symposia.core._runtime._agent_types import AgentKind


@dataclass(frozen=True, slots=True, eq=False)
class Publication:
    """A published message on its way to several agents.

    Attributes:
        message: What was published.
        ctx: What each handler is told besides.
        token: Cancels its handlers, if the publisher gave one.
        context: The publisher's context variables.
    """

    message: Any
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
        running: The call whose turn it is.
        evicted_state: What the agent's state was when it was evicted, for the next one of that id.
        queue: What waits for its turn; made when first needed, since most agents never have a second message waiting.
    """

    __slots__ = ("agent", "concurrent", "evicted_state", "id", "kind", "queue", "ready", "running")

    def __init__(self, id_: AgentId, kind: AgentKind, ready: deque[Mailbox]) -> None:
        self.id = id_
        self.kind = kind
        self.agent: Agent | None = None
        self.concurrent = False
        self.running: Call | None = None
        self.evicted_state: Mapping[str, Any] | None = None
        self.queue: deque[Call | Publication] | None = None
        self.ready = ready

    @property
    def is_free(self) -> bool:
        """Whether there is an agent that has nothing to do."""
        return self.agent is not None and self.is_vacant

    @property
    def is_vacant(self) -> bool:
        """Whether a message that comes now has its turn at once."""
        return self.concurrent or (self.running is None and not self.queue)

    def settle_in(self, agent: Agent) -> None:
        """The agent was made."""
        self.agent = agent
        self.evicted_state = None
        if getattr(agent, "concurrent", False):
            self.concurrent = True
            self.running = None
            self._admit_everybody()

    def evict(self, state: Mapping[str, Any]) -> None:
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
        running = self.running
        if self.is_vacant:
            self.grant_turn(call)
            return None
        if running is not None:
            if call.descends_from(running):
                self.grant_turn(call)
                return None
            refuse_deadlock(call)
        call.turn = asyncio.get_running_loop().create_future()
        self._enqueue(call)
        return call.turn

    def grant_turn(self, call: Call) -> None:
        """Give `call` the turn, which is free, or which a call that awaits it has."""
        call.active = True
        if not self.concurrent:
            call.outer = self.running
            self.running = call

    def post(self, publication: Publication) -> None:
        """Accept a published message."""
        if self.is_vacant:
            self.ready.append(self)
        self._enqueue(publication)

    def next_publication(self) -> Publication | None:
        """Take what has come to the head of the queue, for the worker that found this mailbox ready."""
        if self.queue and isinstance(self.queue[0], Publication):
            return self.queue.popleft()  # type: ignore[return-value]  # pyright does not narrow a deque's elements
        return None

    def release(self, call: Call) -> None:
        """End the turn of `call`, and hand it on."""
        call.active = False
        if self.running is call:
            self.running = call.outer
            if self.queue:
                self._hand_on()
        elif self.running is not None:
            self._unstack(call)

    def drain(self) -> list[Publication]:
        """Take every published message that still waits; requests are answered by whoever made them."""
        waiting = self.queue or ()
        self.queue = None
        return [item for item in waiting if isinstance(item, Publication)]

    def _enqueue(self, item: Call | Publication) -> None:
        if self.queue is None:
            self.queue = deque()
        self.queue.append(item)

    def _hand_on(self) -> None:
        """Give the turn to the next in line. Whoever was cancelled while waiting is passed over."""
        queue = self.queue
        while queue:
            item = self._next_inside(self.running) if self.running is not None else queue[0]
            if item is None:
                return
            if isinstance(item, Publication):
                self.ready.append(self)
                return
            queue.remove(item)
            turn = item.turn
            if turn is not None and not turn.done():
                self.grant_turn(item)
                turn.set_result(None)
                return

    def _admit_everybody(self) -> None:
        """Let in what came while a concurrent agent was being made."""
        waiting, self.queue = self.queue or (), None
        for item in waiting:
            if isinstance(item, Publication):
                self.post(item)
            elif item.turn is not None and not item.turn.done():
                self.grant_turn(item)
                item.turn.set_result(None)

    def _next_inside(self, running: Call) -> Call | None:
        """The first request that the running call awaits, through others."""
        waiting = self.queue or ()
        return next((item for item in waiting if isinstance(item, Call) and item.descends_from(running)), None)

    def _unstack(self, call: Call) -> None:
        """Forget a call that ended before one that ran inside it."""
        inner = self.running
        while inner is not None:
            if inner.outer is call:
                inner.outer = call.outer
                return
            inner = inner.outer
