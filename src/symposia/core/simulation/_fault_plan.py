from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import Any

from symposia.core.exceptions import InvalidArgumentError


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
