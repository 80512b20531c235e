"""Calls: requests from sending to their answers, and deliveries from their queues to the ends of their handlers.

Every way out of `Calls.request` ends the request, and every end of a handler task comes to `_handled`, which ends the
delivery: nothing else has to clean up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextvars import Context
from functools import partial
from typing import Final, TypeVar, cast

from symposia.core import (
    ROOT_LOGGER_NAME,
    Agent,
    AgentId,
    AgentRuntime,
    CancellationToken,
    MessageContext,
    current_handler_context,
    populate_handler_context,
)
from symposia.core.exceptions import (
    AgentError,
    DeadlineExceededError,
    InvalidArgumentError,
)
from symposia.core.runtimes import DeadLetters, Failures, Phase, circular_wait, deadline_exceeded
from symposia.testing._serializing_runtime._delivery import Delivery, Mailbox, Request, Work, find_circle, link
from symposia.testing._serializing_runtime._wire import Payload, Reply, encode_failure

logger = logging.getLogger(ROOT_LOGGER_NAME)

T = TypeVar("T")

FIRST_LOOK: Final = 0.005
"""Seconds until what waits in a queue is looked at again; each later pause is twice as long."""

LAST_LOOK: Final = 3600.0
"""The longest pause, in seconds. What still waits then is left alone, so that a simulation that is stuck is noticed."""


class Calls:
    """The requests and deliveries of one runtime that have not ended.

    Attributes:
        phase: The runtime's. `Lifecycle` sets it.
        on_end: Called when a request or a delivery has ended, or waits in a queue. `Lifecycle` sets it.
        requests: The senders that wait, in the order of their requests.
        deliveries: The messages at their agents, queued or running, in the order of their arrival.

    Args:
        runtime: What agents are made for.
        dead_letters: Takes the messages without a recipient.
        failures: Takes what publish handlers raise.
    """

    def __init__(self, runtime: AgentRuntime, dead_letters: DeadLetters, failures: Failures) -> None:
        self.phase = Phase.READY
        self.on_end: Callable[[], None] = lambda: None
        self.requests: dict[Request, None] = {}
        self.deliveries: dict[Delivery, None] = {}
        self._runtime = runtime
        self._dead_letters = dead_letters
        self._failures = failures
        self._look: asyncio.TimerHandle | None = None

    async def request(
        self,
        recipient: AgentId,
        token: CancellationToken | None,
        timeout: float | None,
        ask: Callable[[Request], Coroutine[object, None, T]],
    ) -> T:
        """Wait for an answer until the caller gives up, and remove the request in any case."""
        request = self._new_request(recipient, token, timeout)
        self.requests[request] = None
        if request.parent is not None:
            request.parent.requests[request] = None
        link(token, request, lambda: request.interrupt(asyncio.CancelledError()))
        timer: asyncio.TimerHandle | None = None
        parent = request.parent
        if request.deadline is not None and (parent is None or parent.deadline != request.deadline):
            # An inherited deadline has no timer of its own: it would race with that of the request which has set it,
            # and whose error names the agents that were waited for.
            expire = partial(_expire, request)
            timer = asyncio.get_running_loop().call_at(request.deadline, expire)
        try:
            return await ask(request)
        finally:
            if timer is not None:
                timer.cancel()
            if token is not None:
                token.unlink(request)
            if request.parent is not None:
                del request.parent.requests[request]
            del self.requests[request]
            # Both refer to the request, the task by the frames of its error's traceback. In such a circle the message
            # would stay until the garbage collector finds it.
            request.delivery = request.task = None
            self.on_end()

    def _new_request(self, recipient: AgentId, token: CancellationToken | None, timeout: float | None) -> Request:
        if timeout is not None and timeout != timeout:  # noqa: PLR0124 - so is no number but NaN
            raise InvalidArgumentError("timeout=nan is no time: give seconds, or None to wait for any time.")
        if token is not None and token.is_cancelled():
            raise asyncio.CancelledError
        self.phase.require_messages()
        loop = asyncio.get_running_loop()
        parent = self.handling()
        ends = [] if timeout is None else [loop.time() + timeout]
        if parent is not None and parent.deadline is not None:
            ends.append(parent.deadline)
        request = Request(
            recipient=recipient,
            parent=parent,
            task=asyncio.current_task(),
            deadline=min(ends, default=None),
            interrupted=loop.create_future(),
        )
        if request.deadline is not None and request.deadline <= loop.time():
            raise _deadline_exceeded(request)
        return request

    def handling(self) -> Delivery | None:
        """The delivery whose handler runs here, if it is one of this runtime."""
        handler = current_handler_context()
        if isinstance(handler, Delivery) and handler.is_running and handler in self.deliveries:
            return handler
        return None

    def new_delivery(
        self,
        mailbox: Mailbox,
        work: Work,
        request: Request | None = None,
        message: object = None,
        context: MessageContext | None = None,
    ) -> Delivery:
        """A delivery that is not in its queue yet: see `Delivery`."""
        delivery = Delivery(
            mailbox=mailbox,
            work=work,
            dead_letters=self._dead_letters,
            request=request,
            message=message,
            context=context,
        )
        if request is not None:
            request.delivery = delivery
        self.deliveries[delivery] = None
        return delivery

    def enqueue(self, delivery: Delivery) -> None:
        """Put a delivery into its mailbox, and start it if it may run now."""
        if delivery.cancelled or self.phase is Phase.CLOSED:
            return
        delivery.mailbox.add(delivery)
        self._advance(delivery.mailbox)
        if delivery.is_queued:
            self._refuse_circle(delivery)
            self._look_again_after(FIRST_LOOK)
            self.on_end()

    def _advance(self, mailbox: Mailbox) -> None:
        """Start what may run now."""
        while (delivery := mailbox.take_next()) is not None:
            if delivery.request is not None and delivery.request.interrupted.done():
                continue  # its sender is about to cancel it
            mailbox.stack.append(delivery)
            delivery.is_running = True
            handler = asyncio.get_running_loop().create_task(self._run(delivery), context=Context())
            delivery.task = handler
            handler.add_done_callback(partial(self._handled, delivery))  # a task cancelled early never begins

    async def _run(self, delivery: Delivery) -> Payload:
        mailbox = delivery.mailbox
        with populate_handler_context(mailbox.id, delivery):
            if mailbox.agent is None:
                mailbox.set_agent(await mailbox.kind.make(mailbox.id, self._runtime))
                self._advance(mailbox)  # it may be one that handles several messages at once
            return await delivery.work(cast("Agent", mailbox.agent))

    def _handled(self, delivery: Delivery, handler: asyncio.Task[Payload]) -> None:
        """A handler has ended."""
        delivery.is_running = False
        reply: Reply | None = None
        if not handler.cancelled():
            error = handler.exception()
            if error is None:
                reply = Reply(answer=handler.result())
            else:
                reply = Reply(error=encode_failure(error if isinstance(error, Exception) else _as_exception(error)))
                if delivery.request is None:
                    logger.error("Agent %s failed on a published message", delivery.mailbox.id, exc_info=error)
                    self._failures.add(error)
        self._settle(delivery, reply)
        work = delivery.lingering
        if work is not None and not work.done():
            work.add_done_callback(lambda _: self._release(delivery))
        else:
            self._release(delivery)

    def _settle(self, delivery: Delivery, reply: Reply | None) -> None:
        if delivery.context is not None:
            delivery.context.cancellation_token.unlink(delivery)
        if not delivery.replied.done():
            delivery.replied.set_result(None if reply is None else reply.model_dump_json().encode())

    def _release(self, delivery: Delivery) -> None:
        """The agent is free of a delivery."""
        # The next begins before it is asked whether the runtime is idle: between the two there is nothing under way.
        delivery.mailbox.stack.remove(delivery)
        del self.deliveries[delivery]
        delivery.task = None  # its error refers to the delivery, by the frames of its traceback
        self._advance(delivery.mailbox)
        self.on_end()

    def give_up(self, delivery: Delivery) -> None:
        """The handler has cancelled its own token."""
        if delivery.request is not None:
            delivery.request.interrupt(asyncio.CancelledError())
        else:
            self.cancel(delivery)

    def cancel(self, delivery: Delivery) -> None:
        """Take a delivery out of its queue, or cancel its handler."""
        if delivery.cancelled:
            return
        delivery.cancelled = True  # first: cancelling the token calls `give_up`, which comes here again
        if delivery.context is not None:
            delivery.context.cancellation_token.unlink(delivery)
            _cancel_token(delivery.context.cancellation_token, delivery.mailbox.id)
        if delivery.task is not None:
            delivery.task.cancel()
        else:
            self._drop(delivery, None)

    def _drop(self, delivery: Delivery, reply: Reply | None) -> None:
        """Forget a delivery that has not begun."""
        if delivery.is_queued:
            delivery.mailbox.withdraw(delivery)
        self._settle(delivery, reply)
        self.deliveries.pop(delivery, None)
        self.on_end()

    def _refuse_circle(self, delivery: Delivery) -> None:
        circle = None if delivery.parent is None else find_circle(delivery)
        if circle is not None:
            self._drop(delivery, Reply(error=encode_failure(circular_wait(circle))))

    def stop_looking(self) -> None:
        """Look at the queues no more."""
        if self._look is not None:
            self._look.cancel()

    def _look_again_after(self, pause: float) -> None:
        self.stop_looking()
        self._look = asyncio.get_running_loop().call_later(pause, self._look_again, pause)

    def _look_again(self, pause: float) -> None:
        """Handlers may by now await former background requests: nest these, or find the circles that they make."""
        self._look = None
        waiting = [delivery for delivery in self.deliveries if delivery.is_queued]
        for mailbox in {delivery.mailbox: None for delivery in waiting}:
            self._advance(mailbox)
        # The newest first: it has closed the circle, and its sender gets the error, as if it had been found at once.
        for delivery in reversed(waiting):
            if delivery.is_queued:
                self._refuse_circle(delivery)
        self.on_end()
        if 2 * pause <= LAST_LOOK and any(delivery.is_queued for delivery in self.deliveries):
            self._look_again_after(2 * pause)


async def unless_interrupted(
    request: Request, work: asyncio.Future[T], give_up: Callable[[], object] | None = None
) -> T:
    """Await work, until the request is interrupted; then give the work up, and see it end.

    Raises:
        BaseException: The reason of the interruption, or the error of the work.
    """
    try:
        await asyncio.wait({work, request.interrupted}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError as error:
        request.interrupt(error)
    if not request.interrupted.done():
        return work.result()
    # Waits until the work has ended, also when it is cancelled again meanwhile. A sender that went on while its handler
    # still tidies up could send the agent a message that is handled beside it.
    (give_up or work.cancel)()
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError as error:
            request.reason = error
    if not work.cancelled():
        work.exception()  # its result is dropped; the reason is raised
    # An error refers to this frame, and to the request in it, by its traceback. Neither may refer to the error.
    reason, request.reason = request.reason, None
    try:
        raise cast("BaseException", reason)
    finally:
        del reason


def _expire(request: Request) -> None:
    request.interrupt(_deadline_exceeded(request))


def _deadline_exceeded(request: Request) -> DeadlineExceededError:
    below = list[AgentId]()
    delivery = request.delivery
    while delivery is not None and delivery.requests:
        last = next(reversed(delivery.requests))
        below.append(last.recipient)
        delivery = last.delivery
    return deadline_exceeded(request.recipient, below)


def _cancel_token(token: CancellationToken, agent_id: AgentId) -> None:
    try:
        token.cancel()
    except Exception:
        logger.exception("A callback of the token of a message for %s failed", agent_id)


def _as_exception(error: BaseException) -> Exception:
    failure = AgentError(f"{type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure
