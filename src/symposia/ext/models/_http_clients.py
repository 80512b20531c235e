"""What the vendors' HTTP clients lack: use from several event loops, requests that stay with their host, limits.

They are added to the client that an SDK has made, whichever of httpx2 and httpx it is built on. A client of our own was
rejected: each SDK sets limits, timeouts and proxies in its own way, and users give clients of theirs.
"""

from __future__ import annotations

import asyncio
import copy
import sys
import threading
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from importlib import import_module
from types import TracebackType
from typing import Final, Protocol, Self, cast
from weakref import WeakKeyDictionary

from symposia.core import uninterrupted
from symposia.ext.models._bounded_bodies import accept_gzip, bound_body

REFUSED_REDIRECT: Final = "x-symposia-refused-redirect"
"""The header to which the address of a redirect is moved that is not followed."""


_LIBRARIES: Final = ("httpx2", "httpx")


def adapt_http_client(client: object) -> None:
    """Let an HTTP client be used from several event loops, follow no redirect to another host, and limit bodies.

    The library beneath it, which it would import for its first request, while an event loop waits, is imported now.

    Args:
        client: An ``AsyncClient`` of httpx2 or httpx. Of anything else, such as a test's stand-in, what is missing is
            left alone.
    """
    for library in {base.__module__.partition(".")[0] for base in type(client).__mro__}.intersection(_LIBRARIES):
        import_module(library.replace("httpx", "httpcore"))
    hooks = getattr(client, "event_hooks", None)
    if isinstance(hooks, Mapping):
        response_hooks = cast("Mapping[str, list[Callable[..., object]]]", hooks).get("response", [])
        if bound_body not in response_hooks:
            client.event_hooks = {**hooks, "response": [_refuse_other_hosts, bound_body, *response_hooks]}  # pyright: ignore[reportAttributeAccessIssue] - a public property of both
            accept_gzip(cast("_HttpClient", client).headers)
    mounts = cast("Mapping[object, object]", getattr(client, "_mounts", {}))
    for transport in (getattr(client, "_transport", None), *mounts.values()):
        pool = getattr(transport, "_pool", None)
        if pool is not None and not isinstance(pool, PoolOfEachLoop):
            transport._pool = PoolOfEachLoop(pool)  # type: ignore[union-attr]  # noqa: SLF001 - see `PoolOfEachLoop`


def request_errors() -> tuple[type[Exception], ...]:
    """What the HTTP clients raise when a request fails.

    Errors of anyio slip through some versions of them (https://github.com/pydantic/httpx2/issues/854). A
    `UnicodeEncodeError` is that of a header: bodies are encoded before. ``ssl.SSLError`` is an `OSError`.
    """
    anyio = import_module("anyio")  # which both need
    loaded = [library for name in _LIBRARIES if (library := sys.modules.get(name)) is not None]
    of_libraries = [error for library in loaded for error in (library.HTTPError, library.InvalidURL)]
    of_anyio = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)
    return (*of_libraries, *of_anyio, OSError, UnicodeEncodeError)


class _HttpClient(Protocol):
    headers: MutableMapping[str, str]


class _Url(Protocol):
    scheme: str
    host: str
    port: int | None

    def join(self, url: str) -> _Url: ...


class _Request(Protocol):
    url: _Url


class _RedirectResponse(Protocol):
    request: _Request
    headers: dict[str, str]
    has_redirect_location: bool


async def _refuse_other_hosts(response: _RedirectResponse) -> None:
    """Called with each response: take the address out of one that redirects to another host.

    The status is then an error as any other. With 307 and 308 the whole conversation would be sent on, and with each of
    them the key, of which the HTTP clients know the header ``Authorization`` alone. Rejected: an error raised here,
    after which the SDKs try again.
    """
    if not response.has_redirect_location:
        return
    location = response.headers["location"]
    if not _is_same_host(response.request.url, location):
        response.headers[REFUSED_REDIRECT] = location
        del response.headers["location"]


def _is_same_host(home: _Url, location: str) -> bool:
    """Whether a redirect stays on a host, and as safe as it was."""
    try:
        url = home.join(location)
    except Exception:  # noqa: BLE001 - httpx2 and httpx each have an InvalidURL, which is no ValueError
        return False
    return url.host == home.host and (url.scheme == "https" or (url.scheme, url.port) == (home.scheme, home.port))


class _Pool(Protocol):
    """A connection pool of httpcore2 or httpcore."""

    _connections: list[object]
    _requests: list[object]

    async def handle_async_request(self, request: object) -> object: ...
    async def aclose(self) -> None: ...
    async def _close_connections(self, closing: list[object]) -> None: ...


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
            _close_to_the_end(pool)
            self._pools[loop] = pool
        return pool


def _close_to_the_end(pool: _Pool) -> None:
    """Let a pool close its connections to the end, also where the request is cancelled that has it do so.

    A request that ends may have the pool close the connections of others. The HTTP clients shield that from anyio's
    cancellation alone, and not from that of a task or of `asyncio.timeout`. The connections that are left then belong
    to no pool, and stay open.
    """
    close = pool._close_connections  # noqa: SLF001 - see `PoolOfEachLoop`

    async def close_all(closing: list[object]) -> None:
        if closing:
            await uninterrupted(close(closing))

    pool._close_connections = close_all  # type: ignore[method-assign]  # noqa: SLF001 - see `PoolOfEachLoop`
