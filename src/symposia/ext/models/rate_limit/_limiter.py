"""Which of the requests that wait goes next, and how much it is expected to take."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import warnings
from collections.abc import Awaitable, Mapping, Sequence
from copy import copy
from datetime import timedelta
from typing import Final

from symposia.core import CancellationToken, cancelled_by
from symposia.core.models import CreateResult
from symposia.ext.models._fair_queue import FairQueue, current_caller
from symposia.ext.models._limit_headers import LimitReport, retry_delay
from symposia.ext.models._shared import ByLoop
from symposia.ext.models.rate_limit._meters import Load, Meters, Rates

TOO_MANY: Final = 429
OVERLOADED: Final = frozenset({TOO_MANY, 503, 529})
"""Statuses whose ``Retry-After`` holds for all requests; 529 is Anthropic's."""

LONG_PAUSE: Final = 60.0
"""Seconds of a pause that are logged as a warning: limits of a minute need less, those of a day may need hours."""

logger = logging.getLogger(__name__)

FIRST_ANSWER: Final = 256.0
"""Tokens that the first answer is expected to have; later ones as many as those before, on average."""

WEIGHT: Final = 0.1
"""The weight of the latest answer in that average."""


class RateLimiter:
    """Lets requests of all clients of one name go at a rate.

    In each event loop, requests wait in a `FairQueue`, and one task of that loop lets them go. Loops, and other
    processes, compete for the next request of the shared meters.

    Args:
        meters: The state of the limits.
        rates: What the program allows. Where a vendor says less, that holds.
    """

    def __init__(self, meters: Meters, rates: Rates) -> None:
        self._meters = meters
        self._given = self._rates = rates
        self._answer = FIRST_ANSWER
        self._lines = ByLoop(_Line)

    @property
    def rates(self) -> Rates:
        """What is allowed at present."""
        return self._rates

    async def acquire(self, prompt: float, priority: int, token: CancellationToken | None) -> Load:
        """Wait until a request may be sent.

        Args:
            prompt: The tokens of its prompt, estimated.
            priority: See `FairQueue`.
            token: Cancels the wait.

        Returns:
            What was reserved for it.

        Raises:
            asyncio.CancelledError: The token or the task was cancelled; nothing is reserved.
        """
        if token is not None and token.is_cancelled():
            raise asyncio.CancelledError
        load = Load(1, prompt + self._answer, prompt, self._answer) if self._rates.counts_tokens else Load(1)
        line = self._lines.get(asyncio.get_running_loop())
        if line.waiting or await self._meters.take(self._rates, load):
            await self._wait(line, _Waiter(load), priority, token)
        return load

    async def settle(self, reserved: Load, result: CreateResult) -> None:
        """Correct a reservation by what the request really took: nothing, if a cache answered it."""
        if result.cached:
            await self._correct(Load().minus(reserved))
            return
        usage = result.usage
        self._answer += WEIGHT * (usage.completion_tokens - self._answer)
        if self._rates.counts_tokens:
            uncached = usage.prompt_tokens - usage.cached_tokens
            taken = Load(1, usage.total_tokens, uncached, usage.completion_tokens)
            await self._correct(taken.minus(reserved))

    async def learn(self, responses: Sequence[tuple[int | None, Mapping[str, str]]]) -> None:
        """Take over what the vendor says about its limits in the status and headers of responses."""
        for status, headers in responses:
            report = LimitReport.read(headers)
            told = Rates(
                _positive(report.requests.limit),
                _positive(report.tokens.limit),
                _positive(report.input_tokens.limit),
                _positive(report.output_tokens.limit),
            )
            if told != Rates():
                self._rates = self._given.below(told)
            if pause := _pause(status, headers, report):
                if pause >= LONG_PAUSE:
                    _log_pause(pause)
                await self._tell(self._meters.pause(pause))

    async def _correct(self, load: Load) -> None:
        await self._tell(self._meters.correct(self._rates, load))

    async def _tell(self, change: Awaitable[None]) -> None:
        """Await a change of the meters. If it fails, an answer that has come, and was paid for, is not lost by that."""
        try:
            await change
        except Exception as error:  # noqa: BLE001 - of a store that cannot be reached
            warnings.warn(f"A rate limit does not know of an answer: {error}", stacklevel=2)

    async def _wait(self, line: _Line, waiter: _Waiter, priority: int, token: CancellationToken | None) -> None:
        line.waiting.push(waiter, current_caller(), priority)
        line.changed.set()
        if line.server is None or line.server.done():
            # In a context of its own: it serves all callers, and is none of the effects of the first one.
            line.server = asyncio.get_running_loop().create_task(self._serve(line), context=contextvars.Context())
        try:
            with cancelled_by(token):
                await waiter.turn
        except asyncio.CancelledError:
            if not line.waiting.remove(waiter) and waiter.went:
                await self._correct(Load().minus(waiter.load))
            line.changed.set()
            raise

    async def _serve(self, line: _Line) -> None:
        """Let the requests of a line go, one by one, until none waits."""
        while line.waiting:
            line.changed.clear()
            waiter = line.waiting.first()
            try:
                delay = await self._meters.take(self._rates, waiter.load)
            except Exception as error:  # noqa: BLE001 - of a store that cannot be reached; the callers are told
                # All of them: each would be told the same, after another wait for a server that does not answer.
                while line.waiting:
                    line.waiting.pop().fail(copy(error))
                return
            if delay:
                # Asked again when the line changes: a call of a higher priority may have come, or the one that is
                # waited for may have left. And when the time has come, since another loop or process may have been
                # first, or a pause may have begun.
                await line.change_within(delay)
            elif line.waiting.remove_in_turn(waiter):
                waiter.go()
            else:  # cancelled while the meters were asked
                await self._correct(Load().minus(waiter.load))


class _Line:
    """The requests of one event loop that wait, and the task that lets them go."""

    def __init__(self) -> None:
        self.waiting: FairQueue[_Waiter] = FairQueue()
        self.changed = asyncio.Event()
        self.server: asyncio.Task[None] | None = None

    async def change_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            """The time has come."""


class _Waiter:
    def __init__(self, load: Load) -> None:
        self.load = load
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.went = False

    def go(self) -> None:
        self.went = True
        if not self.turn.done():
            self.turn.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.turn.done():
            self.turn.set_exception(error)


def _log_pause(seconds: float) -> None:
    logger.warning(
        "The vendor takes no requests for %s: all clients that share this rate limit wait. Cancel them, or give "
        "another model, if that is too long.",
        timedelta(seconds=round(seconds)),
    )


def _positive(limit: float | None) -> float | None:
    return limit if limit is not None and limit > 0 else None


def _pause(status: int | None, headers: Mapping[str, str], report: LimitReport) -> float:
    """Seconds for which nothing may be sent, after a response."""
    if status in OVERLOADED:
        return retry_delay(headers, limited=status == TOO_MANY) or 0.0
    return report.seconds_used_up or 0.0
