"""What the vendors' HTTP clients lack: use from several event loops, and credentials that stay with their host.

Both are added to the client that an SDK has made, whichever of httpx2 and httpx it is built on. A client of our own was
rejected: each SDK sets limits, timeouts and proxies in its own way, and users give clients of theirs.
"""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Protocol, Self, cast
from weakref import WeakKeyDictionary

PUBLIC_HEADERS: Final = frozenset({
    "accept", "accept-encoding", "accept-language", "anthropic-version", "connection", "content-encoding",
    "content-length", "content-type", "host", "transfer-encoding", "user-agent",
})  # fmt: skip
"""Headers that may follow a redirect to another host. Any other one may be a credential: each vendor names its own, and
of these the HTTP clients know ``Authorization`` alone."""


def adapt_http_client(client: object) -> None:
    """Let an HTTP client be used from several event loops, and keep its credentials with their host.

    Args:
        client: An ``AsyncClient`` of httpx2 or httpx. Of anything else, such as a test's stand-in, what is missing is
            left alone.
    """
    hooks = getattr(client, "event_hooks", None)
    if isinstance(hooks, Mapping):
        request_hooks = cast("Mapping[str, list[Callable[..., object]]]", hooks).get("request", [])
        if _drop_credentials not in request_hooks:
            client.event_hooks = {**hooks, "request": [*request_hooks, _drop_credentials]}  # pyright: ignore[reportAttributeAccessIssue] - a public property of both
    mounts = cast("Mapping[object, object]", getattr(client, "_mounts", {}))
    for transport in (getattr(client, "_transport", None), *mounts.values()):
        pool = getattr(transport, "_pool", None)
        if pool is not None and not isinstance(pool, PoolOfEachLoop):
            transport._pool = PoolOfEachLoop(pool)  # type: ignore[union-attr]  # noqa: SLF001 - see `PoolOfEachLoop`


class _Url(Protocol):
    scheme: str
    host: str
    port: int | None


class _Request(Protocol):
    url: _Url
    headers: dict[str, str]
    extensions: dict[str, Any]  # Any: each is of its own type


async def _drop_credentials(request: _Request) -> None:
    """Called with each request before it is sent, and with those that follow a redirect."""
    home: _Url = request.extensions.setdefault("symposia_home", request.url)  # redirects take the extensions along
    url = request.url
    is_home = url.host == home.host and (url.scheme == "https" or (url.scheme, url.port) == (home.scheme, home.port))
    if not is_home:
        for name in [name for name in request.headers if name.lower() not in PUBLIC_HEADERS]:
            del request.headers[name]


class _Pool(Protocol):
    """A connection pool of httpcore2 or httpcore."""

    _connections: list[object]
    _requests: list[object]

    async def handle_async_request(self, request: object) -> object: ...
    async def aclose(self) -> None: ...


class PoolOfEachLoop:
    """A connection pool for each event loop, in the place of one that all share.

    A connection belongs to the loop on which it was opened. A program that calls ``asyncio.run`` twice, or from several
    threads, would be given a connection whose loop is closed, or runs elsewhere, and fail or wait for ever. The HTTP
    clients have no public place for a pool; the attribute is the same in all versions of both. Rejected: an HTTP client
    for each loop, since an SDK's client holds one, which the user may have given.

    Args:
        pool: The client's own pool, before its first use.
    """

    def __init__(self, pool: _Pool) -> None:
        self._unused = pool
        self._lock = threading.Lock()
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, _Pool] = WeakKeyDictionary()

    async def handle_async_request(self, request: object) -> object:
        """Send a request on a connection of the running loop."""
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop) or self._add(loop)
        return await pool.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections: those of other loops by their loop, if it still runs."""
        with self._lock:
            pools, self._pools = list(self._pools.items()), WeakKeyDictionary()
        here = asyncio.get_running_loop()
        for loop, pool in pools:
            if loop is here:
                await pool.aclose()
            elif loop.is_running():
                with suppress(RuntimeError):  # it has ended meanwhile
                    asyncio.run_coroutine_threadsafe(pool.aclose(), loop)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def _add(self, loop: asyncio.AbstractEventLoop) -> _Pool:
        with self._lock:
            # A connection refers to its loop, so the dictionary alone would keep both.
            for closed in [known for known in self._pools if known.is_closed()]:
                del self._pools[closed]
            pool = copy.copy(self._unused)
            pool._connections, pool._requests = [], []  # noqa: SLF001 - all that belongs to a loop
            self._pools[loop] = pool
        return pool
