"""A client that asks again when a request fails in a way that may pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from symposia._lazy import is_installed, lazy_module
from symposia.core import CancellationToken, cancelled_by
from symposia.core.argument_checks import check_count
from symposia.core.exceptions import InvalidArgumentError, MissingExtraError, ModelError
from symposia.core.logging import LLMRetryEvent
from symposia.core.models import ChatCompletionClient, CreateResult, model_name
from symposia.core.telemetry import events_are_read, log_event
from symposia.ext.models._response_listeners import retried_outside
from symposia.ext.models.wrappers import ModelCall, ModelClientWrapper, begin, is_lost_connection

__all__ = ["RetryingClient"]

if TYPE_CHECKING:
    import tenacity
else:
    tenacity = lazy_module("tenacity")

FIRST_WAIT: Final = 0.5
"""The bound of the first wait in seconds, which doubles with each further one. OpenAI's SDK begins with the same."""

SPREAD: Final = 1.0
"""Seconds over which agents that were all told the same time come back."""


class RetryingClient(ModelClientWrapper):
    """Asks again after a lost connection and the statuses 408, 409, 429 and 5xx: `ModelError.is_transient`.

    It waits as long as the server says (``Retry-After``, or the reset of a limit), else for a random time below a bound
    that doubles (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/, "full jitter"). A wrong
    request, a wrong key and a quota that is used up are raised at once, and so is a stream that breaks after its first
    piece: that was shown, and another answer would begin with another. The SDK's own retries are off inside, as the two
    would multiply. Each failure that is followed by another attempt is an `LLMRetryEvent`. The error of the last
    attempt is raised, with a note about their number.

    Args:
        client: The client to ask.
        max_attempts: Requests at most, the first included.
        max_seconds: No attempt begins later than this after the first one. A server that says to wait longer than is
            left is not waited for.
        longest_wait: Bound of a wait in seconds, where the server does not say how long.

    Raises:
        MissingExtraError: The library ``tenacity`` is not installed.
        ArgumentTypeError: `client` is not a client, or `max_attempts` is no integer.
        InvalidArgumentError: `max_attempts` is less than 1, or a time is negative.
    """

    def __init__(
        self,
        client: ChatCompletionClient,
        *,
        max_attempts: int = 6,
        max_seconds: float = 300,
        longest_wait: float = 60,
    ) -> None:
        super().__init__(client)
        if not is_installed("tenacity"):
            raise MissingExtraError(type(self).__name__, "retry")
        check_count("max_attempts", type(self).__name__, max_attempts)
        if max_attempts < 1 or not max_seconds >= 0 or not longest_wait >= 0:
            raise InvalidArgumentError(
                f"max_attempts is {max_attempts!r}, max_seconds {max_seconds!r} and longest_wait {longest_wait!r}: "
                "give at least 1 attempt, and times of 0 seconds or more."
            )
        self._max_attempts = max_attempts
        self._max_seconds = max_seconds
        self._backoff = tenacity.wait_random_exponential(multiplier=FIRST_WAIT, max=longest_wait)

    async def answer(self, call: ModelCall) -> AsyncGenerator[str | CreateResult, None]:
        """See `ModelClientWrapper.answer`."""
        started = asyncio.get_running_loop().time()  # `time.monotonic` does not jump in a simulation
        try:
            begun = await self._attempt(call)
        except Exception as error:
            if not is_transient(error):
                raise
            begun = await self._attempt_again(call, error, started)
        async with aclosing(begun) as items:
            async for item in items:
                yield item

    async def _attempt_again(
        self, call: ModelCall, error: Exception, started: float
    ) -> AsyncGenerator[str | CreateResult, None]:
        # The first attempt is made outside of tenacity, which takes more time than all else that the wrapper does; it
        # is told of the failure as if the attempt had been its own.
        failed: list[Exception] = [error]

        async def attempt() -> AsyncGenerator[str | CreateResult, None]:
            if failed:
                raise failed.pop()
            return await self._attempt(call)

        retrying = tenacity.AsyncRetrying(  # one for each call: it keeps the state of its call
            retry=tenacity.retry_if_exception(is_transient),
            wait=self._wait,
            stop=partial(self._is_over, started=started),
            sleep=partial(_sleep, call.token),
            before_sleep=self._report,
            reraise=True,
        )
        return cast("AsyncGenerator[str | CreateResult, None]", await retrying(attempt))

    async def _attempt(self, call: ModelCall) -> AsyncGenerator[str | CreateResult, None]:
        with retried_outside():
            return await begin(call, self._client)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        told = getattr(_error_of(state), "retry_after", None)
        backoff = self._backoff(state)
        return backoff if told is None else told + min(backoff, SPREAD)

    def _is_over(self, state: tenacity.RetryCallState, *, started: float) -> bool:
        spent = asyncio.get_running_loop().time() - started
        over = state.attempt_number >= self._max_attempts or spent + state.upcoming_sleep > self._max_seconds
        if over and state.attempt_number > 1:
            _error_of(state).add_note(f"It was tried {state.attempt_number} times in {spent:.1f} seconds.")
        return over

    def _report(self, state: tenacity.RetryCallState) -> None:
        if events_are_read():
            log_event(
                LLMRetryEvent(
                    attempt=state.attempt_number,
                    error=str(_error_of(state)),
                    wait_seconds=state.upcoming_sleep,
                    model=model_name(self._client),
                )
            )


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed later: see `ModelError.is_transient`; of other errors, a lost connection."""
    if isinstance(error, ModelError):
        return error.is_transient
    return is_lost_connection(error)


async def _sleep(token: CancellationToken | None, seconds: float) -> None:
    with cancelled_by(token):
        await asyncio.sleep(seconds)


def _error_of(state: tenacity.RetryCallState) -> BaseException:
    """The error of the attempt that has just failed."""
    error = None if state.outcome is None else state.outcome.exception()
    if error is None:
        raise RuntimeError("tenacity asks about an attempt that has not failed")
    return error
