"""A runtime whose messages are slow, lost, failing and reordered, as between machines."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, TypeAlias

from symposia.core._agent_id import AgentId
from symposia.core._cancellation_token import CancellationToken
from symposia.core._logging import ROOT_LOGGER_NAME
from symposia.core._runtime._agent_types import AgentKind
from symposia.core._runtime._call import Call
from symposia.core._runtime._delivered_context import DeliveredContext
from symposia.core._runtime._embedded import SingleThreadedAgentRuntime
from symposia.core._runtime._gate import Phase
from symposia.core._runtime._mailbox import Mailbox
from symposia.core._topic import TopicId
from symposia.core.exceptions import RuntimeStoppedError
from symposia.core.simulation._fault_plan import Fault, FaultPlan
from symposia.core.simulation._run import current_seed

logger = logging.getLogger(ROOT_LOGGER_NAME)

Deliver: TypeAlias = Callable[[], Coroutine[Any, Any, Any]]

IN_FLIGHT = AgentId("publications_in_flight", "default")


class FaultyRuntime(SingleThreadedAgentRuntime):
    """An embedded runtime that lets faults happen to messages, by seed and probability.

    What it promises besides holds: a message on its way counts as under way, `stop` answers whoever waits for one that
    was lost, deadlines and cancellation reach messages that are still on their way. Before it is started nothing
    happens to messages.

    Args:
        plan: How often which fault happens.
        seed: Which messages it happens to; the simulation's seed when not given.
        options: Those of `SingleThreadedAgentRuntime`.

    Raises:
        SimulationBoundaryError: No seed is given, and this is not in a simulation.
    """

    def __init__(self, plan: FaultPlan, *, seed: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._plan = plan
        # A sequence of its own: the interleaving under a seed does not depend on how many faults are drawn.
        self._random = Random(f"faults {current_seed() if seed is None else seed}")  # noqa: S311 - no secret
        self._flights: set[asyncio.Task[None]] = set()

    async def send_message(
        self,
        message: Any,
        recipient: AgentId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
        timeout: float | None = None,
    ) -> Any:
        async def deliver(timeout: float | None = None) -> Any:
            return await super(FaultyRuntime, self).send_message(
                message,
                recipient,
                sender=sender,
                cancellation_token=cancellation_token,
                message_id=message_id,
                timeout=timeout,
            )

        mailbox = self._types.mailbox(recipient)
        fault = None if mailbox is None else self._draw(message, recipient)
        if mailbox is None or fault is None:
            return await deliver(timeout)
        call = self._new_call(mailbox, cancellation_token, timeout)
        return await self._calls.supervise(call, self._send_badly(fault, deliver, f"{message!r} for {recipient}"))

    async def publish_message(
        self,
        message: Any,
        topic_id: TopicId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
    ) -> None:
        async def deliver() -> None:
            await super(FaultyRuntime, self).publish_message(
                message, topic_id, sender=sender, cancellation_token=cancellation_token, message_id=message_id
            )

        match self._draw(message, topic_id):
            case None:
                await deliver()
            case Fault.SLOW:
                await asyncio.sleep(self._plan.draw_delay(self._random))
                await deliver()
            case Fault.LOST:
                return
            case Fault.FAILING:
                raise self._plan.error(f"A FaultPlan let it fail: {message!r} on {topic_id}.")
            case Fault.REORDERED:
                ctx = DeliveredContext(sender, topic_id, False, cancellation_token, message_id)
                self._take_off(deliver, message, ctx)

    def _draw(self, message: object, target: object) -> Fault | None:
        if self._gate.phase is not Phase.RUNNING:
            return None
        fault = self._plan.draw(message, self._random)
        if fault is not None:
            logger.debug("Fault: %s: %r for %s", fault.name, message, target)
        return fault

    async def _send_badly(self, fault: Fault, deliver: Deliver, what: str) -> Any:
        match fault:
            case Fault.FAILING:
                raise self._plan.error(f"A FaultPlan let it fail: {what}.")
            case Fault.LOST:
                if self._random.random() < 0.5:  # noqa: PLR2004 - a coin: the answer is lost, or the request
                    await deliver()
                return await asyncio.get_running_loop().create_future()
            case Fault.SLOW | Fault.REORDERED:
                await asyncio.sleep(self._plan.draw_delay(self._random))
                return await deliver()

    def _take_off(self, deliver: Deliver, message: object, ctx: DeliveredContext) -> None:
        """Let a publication travel by itself."""
        link = Mailbox(IN_FLIGHT, AgentKind(IN_FLIGHT.type), self._dispatcher.ready)
        call = Call(self._dispatcher, link, None, ctx.cancellation_token, None)
        self._calls.live[call] = None  # before its task begins, since the runtime is not idle meanwhile
        flight = asyncio.get_running_loop().create_task(self._fly(call, deliver, message, ctx))
        self._flights.add(flight)
        flight.add_done_callback(self._flights.discard)

    async def _fly(self, call: Call, deliver: Deliver, message: object, ctx: DeliveredContext) -> None:
        try:
            await self._calls.supervise(call, self._send_badly(Fault.REORDERED, deliver, ""))
        except RuntimeStoppedError:
            self._dead_letters.report(message, ctx, None, "the runtime has stopped")
        except Exception as error:
            self._failures.add(error)
            logger.exception("A published %s could not be delivered late", type(message).__name__)
