"""Messages that are slow, lost, failing and reordered, as between machines.

The faults are an intervention handler, which every runtime asks about every message. So they need no private part of a
runtime, and a deadline, a token and `stop` reach a message on its way as they reach one that an intervention handler
takes its time for. Only a publication that its publisher's next one overtakes cannot stay in its intervention handler,
since the publisher waits for that: it travels as a message to an agent of this module, which publishes it later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import Enum, auto
from random import Random
from typing import Any, ClassVar

from symposia.core import (
    ROOT_LOGGER_NAME,
    AgentId,
    AgentRuntime,
    BaseAgent,
    DeadLetter,
    DefaultInterventionHandler,
    DropMessage,
    InterventionHandler,
    MessageContext,
    SingleThreadedAgentRuntime,
    TopicId,
    TypeSubscription,
    current_handler_context,
)
from symposia.core.exceptions import InvalidArgumentError
from symposia.testing.simulation._run import current_seed

logger = logging.getLogger(ROOT_LOGGER_NAME)

IN_FLIGHT = TopicId("publications_in_flight", "default")


class Fault(Enum):
    """What can happen to a message."""

    SLOW = auto()
    LOST = auto()
    FAILING = auto()
    REORDERED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """How often which fault happens to a message. At most one happens to each.

    Attributes:
        slow: Probability that a message takes a while, and its sender waits so long before it can do anything else.
        lost: Probability that a request, or its answer, never arrives: the sender waits until its deadline. A lost
            publication is just gone.
        failing: Probability that sending or publishing raises `error` instead.
        reordered: Probability that a message takes a while during which others overtake it, also those that the same
            sender publishes later.
        delay: The least and the most virtual seconds that slow and reordered messages take.
        error: Makes the error of a failing message from a text.
        concerns: Which messages anything happens to at all; all of them by default.

    Raises:
        InvalidArgumentError: The probabilities are none, or the delays.
    """

    slow: float = 0.0
    lost: float = 0.0
    failing: float = 0.0
    reordered: float = 0.0
    delay: tuple[float, float] = (0.001, 10.0)
    error: Callable[[str], Exception] = ConnectionError
    concerns: Callable[[Any], bool] | None = None

    def __post_init__(self) -> None:
        for name in ("slow", "lost", "failing", "reordered"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidArgumentError(f"FaultPlan({name}={getattr(self, name)}): a probability is from 0 to 1.")
        total = self.slow + self.lost + self.failing + self.reordered
        if total > 1 + 1e-9:  # sums of fractions are not exact
            raise InvalidArgumentError(
                f"The probabilities of a FaultPlan add up to {total:g}: at most one fault happens to a message."
            )
        least, most = self.delay
        if not 0 <= least <= most:
            raise InvalidArgumentError(
                f"FaultPlan(delay={self.delay}): the least comes first, and neither is negative."
            )

    def draw(self, message: object, random: Random) -> Fault | None:
        """What happens to a message, if anything."""
        if self.concerns is not None and not self.concerns(message):
            return None
        left = random.random()
        for fault, probability in (
            (Fault.SLOW, self.slow),
            (Fault.LOST, self.lost),
            (Fault.FAILING, self.failing),
            (Fault.REORDERED, self.reordered),
        ):
            if left < probability:
                return fault
            left -= probability
        return None

    def draw_delay(self, random: Random) -> float:
        """How long a slow or reordered message takes, in seconds."""
        return random.uniform(*self.delay)


class Faults(DefaultInterventionHandler):
    """Lets faults happen to the messages of a runtime: its first intervention handler.

    Args:
        plan: How often which fault happens.
        random: Which messages it happens to.

    Attributes:
        runtime: The runtime; needed for publications that are reordered.
        active: Whether faults happen now.
    """

    runtime: AgentRuntime

    def __init__(self, plan: FaultPlan, random: Random) -> None:
        self.active = False
        self._plan = plan
        self._random = random
        self._landing: set[str] = set()
        self._can_fly = False
        self._flights = 0
        self._grounded = asyncio.Event()
        self._landed = asyncio.Event()

    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:  # noqa: ARG002 - faults do not ask who sends
        """Let a request, or its answer, meet its fault."""
        fault = self._draw(message, recipient)
        _answer_is_lost.set(False)
        match fault:
            case Fault.SLOW | Fault.REORDERED:
                await self._take_a_while()
            case Fault.FAILING:
                raise self._plan.error(f"A FaultPlan let it fail: {message!r} for {recipient}.")
            case Fault.LOST if self._random.random() < 0.5:  # noqa: PLR2004 - a coin: the answer is lost, or the request
                _answer_is_lost.set(True)
            case Fault.LOST:
                await _never()
            case None:
                pass
        return message

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:  # noqa: ARG002 - nor who is asked
        """Lose an answer whose request met that fault."""
        if _answer_is_lost.get():
            await _never()
        return message

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:
        """Let a publication meet its fault, unless it has met one already."""
        if message_context.message_id in self._landing or isinstance(message, _InFlight):
            return message
        match self._draw(message, message_context.topic_id):
            case Fault.SLOW:
                await self._take_a_while()
            case Fault.FAILING:
                raise self._plan.error(f"A FaultPlan let it fail: {message!r} on {message_context.topic_id}.")
            case Fault.LOST:
                return DropMessage
            case Fault.REORDERED if message_context.topic_id is not None:
                await self._take_off(message, message_context.topic_id, message_context)
                return DropMessage
            case _:
                pass
        return message

    async def land(self, flight: _InFlight) -> bool:
        """Publish, after a while, a message that is on its way.

        Returns:
            False if all publications were grounded first.
        """
        self._flights += 1
        try:
            async with asyncio.timeout(self._plan.draw_delay(self._random)):
                await self._grounded.wait()
        except TimeoutError:
            await self._publish(flight)
            return True
        else:
            return False
        finally:
            self._flights -= 1
            self._landed.set()

    async def ground(self) -> None:
        """Let nothing happen to messages any more, and no publication arrive that is on its way."""
        self.active = False
        self._grounded.set()
        while self._flights:
            self._landed.clear()
            await self._landed.wait()

    def activate(self) -> None:
        """Let faults happen from now on."""
        self.active = True
        self._grounded.clear()

    async def _publish(self, flight: _InFlight) -> None:
        ctx = flight.context
        self._landing.add(ctx.message_id)
        try:
            await self.runtime.publish_message(
                flight.message,
                flight.topic,
                sender=ctx.sender,
                cancellation_token=ctx.cancellation_token,
                message_id=ctx.message_id,
            )
        finally:
            self._landing.discard(ctx.message_id)

    async def _take_off(self, message: Any, topic: TopicId, ctx: MessageContext) -> None:
        if not self._can_fly:
            self._can_fly = True
            await self.runtime.register_factory(IN_FLIGHT.type, lambda: _Airspace(self))
            await self.runtime.add_subscription(TypeSubscription(IN_FLIGHT.type, IN_FLIGHT.type))
        flight = _InFlight(message, topic, ctx)
        await self.runtime.publish_message(flight, IN_FLIGHT, cancellation_token=ctx.cancellation_token)

    async def _take_a_while(self) -> None:
        await asyncio.sleep(self._plan.draw_delay(self._random))

    def _draw(self, message: object, target: object) -> Fault | None:
        if not self.active:
            return None
        fault = self._plan.draw(message, self._random)
        if fault is not None:
            logger.debug("Fault: %s: %r for %s", fault.name, message, target)
        return fault


_answer_is_lost: ContextVar[bool] = ContextVar("symposia_answer_is_lost", default=False)


async def _never() -> None:
    await asyncio.get_running_loop().create_future()


class FaultyRuntime(SingleThreadedAgentRuntime):
    """An embedded runtime that lets faults happen to messages, by seed and probability.

    What it promises besides holds: a message on its way counts as under way, `stop` answers the senders of those that
    were lost, deadlines and cancellation reach messages that are still on their way. Before it is started nothing
    happens to messages.

    Args:
        plan: How often which fault happens.
        seed: Which messages it happens to; the simulation's seed when not given.
        intervention_handlers: Asked after the faults.
        on_dead_letter: As for any runtime.
        options: The others of `SingleThreadedAgentRuntime`.

    Raises:
        SimulationBoundaryError: No seed is given, and this is not in a simulation.
    """

    def __init__(
        self,
        plan: FaultPlan,
        *,
        seed: int | None = None,
        intervention_handlers: Sequence[InterventionHandler] | None = None,
        on_dead_letter: Callable[[DeadLetter], None] | None = None,
        **options: Any,
    ) -> None:
        # A sequence of its own: the interleaving under a seed does not depend on how many faults are drawn.
        random = Random(f"faults {current_seed() if seed is None else seed}")  # noqa: S311 - no secret
        self._faults = Faults(plan, random)
        self._faults.runtime = self
        super().__init__(
            intervention_handlers=[self._faults, *(intervention_handlers or ())],
            on_dead_letter=on_dead_letter and (lambda letter: on_dead_letter(_original(letter))),
            **options,
        )

    def start(self) -> None:
        super().start()
        self._faults.activate()

    async def stop(self) -> None:
        if self._faults.active:
            await self._faults.ground()  # a handler that `stop` interrupts would count as failed
        await super().stop()


@dataclass(frozen=True, slots=True, eq=False)
class _InFlight:
    """A publication on its way."""

    message: Any
    topic: TopicId
    context: MessageContext


class _Airspace(BaseAgent):
    """Where publications are until they arrive."""

    concurrent: ClassVar[bool] = True

    def __init__(self, faults: Faults) -> None:
        super().__init__("Holds publications that are on their way.")
        self._faults = faults

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> None:
        """Let a publication arrive; one that does not before the runtime stops becomes a dead letter."""
        has_arrived = await self._faults.land(message)
        handler = current_handler_context()
        if not has_arrived and handler is not None:
            handler.report_dead_letter(message, ctx, "the runtime has stopped")

    async def save_state(self) -> Mapping[str, Any]:
        """Nothing: messages under way are not part of an agent's state."""
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Nothing to load."""


def _original(letter: DeadLetter) -> DeadLetter:
    """A dead letter about a publication on its way, as one about that publication."""
    flight = letter.message
    if not isinstance(flight, _InFlight):
        return letter
    context = flight.context
    return replace(letter, message=flight.message, sender=context.sender, recipient=None, topic_id=context.topic_id)
