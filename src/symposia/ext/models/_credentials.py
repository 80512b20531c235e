"""Credentials that a program gets while it runs: without blocking its event loop or its end, and within a time limit.

What gives a credential reads files, runs programs, asks the network, and may ask a person. `asyncio.to_thread` was
rejected for it: the requests of a program that wait for one credential take all threads of the event loop, and a call
that never returns keeps the program from ending.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Final, Generic, TypeVar

from symposia.core import worker_threads
from symposia.core.exceptions import CredentialsError

T = TypeVar("T")

TOKEN_SECONDS: Final = 900.0
"""How long a token is waited for: as long as a code by which a person signs in to Azure on another device is valid."""


class TokenError(Exception):
    """There is no token now, and may be one later: no answer came from what gives them."""


class SharedCall(Generic[T]):
    """A plain function that is called in a worker thread, once for all who wait for its result at the same time.

    A caller who is cancelled leaves the call to the others. A call that never returns occupies one thread.

    Args:
        function: The function.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._lock = threading.Lock()
        self._running: Future[T] | None = None

    async def __call__(self) -> T:
        """The result of the call that is under way, or else of a new one.

        Raises:
            Exception: Whatever the function raised.
        """
        with self._lock:
            if self._running is None or self._running.done():
                self._running = worker_threads.submit(self._call)
            running = self._running
        return await asyncio.shield(asyncio.wrap_future(running))

    def _call(self) -> T:
        try:
            return self._function()
        except StopIteration as error:  # which no future takes
            raise RuntimeError(f"StopIteration: {error}") from error


async def token_of(asked: Awaitable[T]) -> T:
    """A token, or what has one, within `TOKEN_SECONDS`.

    Raises:
        TokenError: None came in time, or the connection to what gives them failed.
        CredentialsError: It gives none.
    """
    limit = asyncio.timeout(TOKEN_SECONDS)
    try:
        async with limit:
            return await asked
    except Exception as error:
        if limit.expired():
            raise TokenError(f"none came within {TOKEN_SECONDS:g} seconds") from error
        words = f"{type(error).__name__}: {error}".rstrip(".: ")
        if _may_pass(error):
            raise TokenError(words) from error
        raise no_token(words) from error


def no_token(words: str) -> CredentialsError:
    """The error of a request without a token."""
    return CredentialsError(
        f"There is no token for the request ({words}). Check the credentials, or the provider of tokens, that the "
        "client was given."
    )


def _may_pass(error: Exception) -> bool:
    """Whether an error is one of a connection: by the names of azure.core's, and by a property of google.auth's."""
    name = type(error).__name__
    is_of_service = name.startswith(("ServiceRequest", "ServiceResponse")) or name == "TransportError"
    return isinstance(error, OSError) or is_of_service or getattr(error, "retryable", False) is True
