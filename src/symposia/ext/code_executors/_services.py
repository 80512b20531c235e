"""Requests to a service that runs code elsewhere: a Jupyter server, or a hosted sandbox.

What a service answers is hostile, as code in it may write the answer: it is read to a cap, and checked by each caller.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, cast

from symposia._lazy import lazy_module
from symposia.core.code_executor import MIB
from symposia.core.exceptions import MissingExtraError, SandboxServiceError

if TYPE_CHECKING:
    import aiohttp
else:
    aiohttp = lazy_module("aiohttp")

REQUEST_SECONDS: Final = 60.0
LARGEST_ANSWER: Final = 64 * MIB
FIRST_ERROR_STATUS: Final = 400
SHOWN_CHARACTERS: Final = 1000
"""Of the words of a service in an error."""


class ServiceClient:
    """Makes requests to a service. A connection is opened by the first one.

    Args:
        name: The service, as errors name it: ``The Jupyter server``.
        url: The beginning of its addresses.
        feature: What needs it, for the error that ``aiohttp`` is missing.
        extra: The extra of this distribution that brings it.

    Raises:
        MissingExtraError: ``aiohttp`` is not installed.
    """

    def __init__(self, name: str, url: str, *, feature: str, extra: str) -> None:
        if find_spec("aiohttp") is None:
            raise MissingExtraError(feature, extra)
        self.url = url.rstrip("/")
        self._name = name
        self._session: aiohttp.ClientSession | None = None

    async def session(self) -> aiohttp.ClientSession:
        """The connections, which are opened where they are not."""
        if self._session is None:
            await asyncio.to_thread(importlib.import_module, "aiohttp")  # takes a fifth of a second
            self._session = aiohttp.ClientSession()
        return self._session

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        body: object = None,
        form: aiohttp.FormData | None = None,
        seconds: float = REQUEST_SECONDS,
    ) -> bytes:
        """Make a request, and return the answer.

        Args:
            method: ``GET``, ``POST``, …
            path: What follows the URL of the service.
            headers: Its headers.
            query: The parameters of its address.
            body: JSON.
            form: A form, in the place of `body`.
            seconds: The time that it may take.

        Raises:
            SandboxServiceError: The service refuses, with its words, or cannot be reached.
            TimeoutError: There was no answer in time.
        """
        session = await self.session()
        limit = aiohttp.ClientTimeout(total=seconds)
        try:
            async with session.request(
                method, self.url + path, headers=headers, params=query, json=body, data=form, timeout=limit
            ) as answer:
                content = await _read_capped(answer.content)
        except TimeoutError:
            raise
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SandboxServiceError(f"{self._name} at {self.url} cannot be reached: {error}") from error
        if answer.status >= FIRST_ERROR_STATUS:
            raise SandboxServiceError(self._refusal(answer.status, content), status=answer.status)
        return content

    async def request_json(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        body: object = None,
        seconds: float = REQUEST_SECONDS,
    ) -> object:
        """Make a request, and return the answer's JSON; None for an empty one.

        Raises:
            SandboxServiceError: As `request`, and where the answer is no JSON.
            TimeoutError: There was no answer in time.
        """
        content = await self.request(method, path, headers=headers, query=query, body=body, seconds=seconds)
        try:
            # A thread, as parsing a large answer would block the event loop for tenths of a second.
            return await asyncio.to_thread(json.loads, content) if content else None
        except (ValueError, RecursionError) as error:
            raise SandboxServiceError(f"{self._name} at {self.url} answered with something other than JSON.") from error

    async def close(self) -> None:
        """Close the connections. Closing twice is harmless, and a later request opens them again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _refusal(self, status: int, content: bytes) -> str:
        words = content.decode("utf-8", "replace")
        with suppress(ValueError, RecursionError):
            answer = mapping(json.loads(words))
            inner = mapping(answer.get("error"))
            words = str(inner.get("message") or answer.get("reason") or answer.get("message") or words)
        hint = " Check the credential." if status in (401, 403) else ""
        return f"{self._name} at {self.url} refuses with status {status}: {words.strip()[:SHOWN_CHARACTERS]}.{hint}"


async def _read_capped(stream: aiohttp.StreamReader) -> bytes:
    content = bytearray()
    async for chunk in stream.iter_chunked(64 * 1024):
        content += chunk
        if len(content) > LARGEST_ANSWER:
            raise ValueError(f"its answer is longer than {LARGEST_ANSWER} bytes")
    return bytes(content)


def mapping(value: object) -> dict[str, object]:
    """A JSON object; an empty one for a value of another type."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
