"""Hosts that a page, a model or code names: where a name leads, and a connection to one of its addresses.

A name is resolved once, and the connection is made to an address that was checked: who controls a name could have a
second answer ready for a second question. All addresses of a name are checked, and not only the one that is taken,
since a name with a public and a private address is made for such a game. `_addresses.py` knows which are public.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from itertools import chain, zip_longest
from typing import Final, NamedTuple, TypeVar

from symposia.core import cancel_and_wait
from symposia.ext._addresses import why_not_public

T = TypeVar("T")

MOST_ADDRESSES: Final = 8
"""Addresses of a name that are tried."""

ATTEMPT_SECONDS: Final = 0.25
"""How long an attempt to connect is alone, before one to the next address begins. Source: RFC 8305, section 5."""


class UnknownNameError(Exception):
    """A name does not lead anywhere. The text says why."""


class PrivateAddress(NamedTuple):
    """An address that those outside have no business with, and why: "not a public address", for one."""

    address: str
    reason: str


class ResolvedHost(NamedTuple):
    """Where a name leads.

    Attributes:
        addresses: In the order in which they are to be tried.
        private: The first address, among all of the name, that is private. None if there is none.
    """

    addresses: Sequence[str]
    private: PrivateAddress | None


class Resolver:
    """Resolves names in threads of its own.

    A name that its server does not answer takes a thread for half a minute, and a thread cannot be ended. Pages and
    models may name any number of them, which must not keep the threads of the program from their work.

    Args:
        owner: Who asks, for the names of the threads.
        threads: The most threads, which are made when they are needed.
    """

    def __init__(self, owner: str, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"symposia-{owner}-names")

    async def resolve(self, host: str, port: int, *, when_free: Callable[[], object] = lambda: None) -> ResolvedHost:
        """Resolve a name, or an address.

        Args:
            host: The name.
            port: The port that is to be connected to.
            when_free: Is called in the thread when that has ended, which may be long after the caller was cancelled.

        Raises:
            UnknownNameError: It leads nowhere.
        """
        resolving = self._threads.submit(_resolved, host, port)
        resolving.add_done_callback(lambda _: when_free())
        try:
            return await asyncio.wrap_future(resolving)
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "it cannot be resolved"
            raise UnknownNameError(f"there is no address for this name ({why})") from error


def _resolved(host: str, port: int) -> ResolvedHost:
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    found = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    # A link-local address of IPv6 has the name of a network interface behind a percent sign.
    reasons = ((address, why_not_public(ip_address(address.partition("%")[0]))) for address in found)
    private = next((PrivateAddress(address, reason) for address, reason in reasons if reason), None)
    return ResolvedHost(_in_turn(found)[:MOST_ADDRESSES], private)


def _in_turn(addresses: Sequence[str]) -> list[str]:
    """Addresses of both families in turn, for one of them may not work at all. Source: RFC 8305, section 4."""
    is_first = [(":" in address) == (":" in addresses[0]) for address in addresses]
    first = [address for address, chosen in zip(addresses, is_first, strict=True) if chosen]
    second = [address for address, chosen in zip(addresses, is_first, strict=True) if not chosen]
    return list(filter(None, chain.from_iterable(zip_longest(first, second))))


class OpenedConnection(NamedTuple):
    """A connection, and the address that it leads to."""

    address: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def open_first(addresses: Iterable[str], port: int) -> OpenedConnection:
    """Connect to the first address that answers. They are numbers: nothing is resolved again.

    Raises:
        OSError: None answers; this is the reason of the last one.
    """

    async def connect(address: str) -> OpenedConnection:
        return OpenedConnection(address, *await asyncio.open_connection(address, port))

    async def discard(connection: OpenedConnection) -> None:
        connection.writer.close()

    return await first_connection(addresses, connect, discard)


async def first_connection(
    addresses: Iterable[str], connect: Callable[[str], Awaitable[T]], discard: Callable[[T], Awaitable[object]]
) -> T:
    """Connect to the address that answers first. The attempts begin one after the other: an address may be silent.

    Args:
        addresses: At least one.
        connect: Connects to an address.
        discard: Closes a connection that is not needed, since another was made at the same time.

    Raises:
        Exception: That of the last attempt, when all have failed.
    """
    attempts: list[asyncio.Future[T]] = []
    taken: asyncio.Future[T] | None = None
    try:
        chosen = await _first_of(addresses, connect, attempts)
        await cancel_and_wait(*attempts)
        taken = chosen
        return chosen.result()
    finally:
        await cancel_and_wait(*attempts)
        for each in attempts:
            if each is not taken and _is_connected(each):
                await discard(each.result())


async def _first_of(
    addresses: Iterable[str], connect: Callable[[str], Awaitable[T]], attempts: list[asyncio.Future[T]]
) -> asyncio.Future[T]:
    """The attempt that connects first, or the last one of those that failed. All are added to the list."""
    waiting = iter(addresses)
    while True:
        address = next(waiting, None)
        if address is not None:
            attempts.append(asyncio.ensure_future(connect(address)))
        running = [each for each in attempts if not each.done()]
        if not running:
            return attempts[-1]
        seconds = None if address is None else ATTEMPT_SECONDS
        await asyncio.wait(running, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        connected = next(filter(_is_connected, attempts), None)
        if connected is not None:
            return connected


def _is_connected(attempt: asyncio.Future[T]) -> bool:
    return attempt.done() and not attempt.cancelled() and attempt.exception() is None


def canonical_host(name: str) -> str:
    """A name as it is compared: in lower case, as ASCII, without the dot at its end and the brackets of an address."""
    bare = name.strip("[]").rstrip(".").lower()
    if bare.isascii():
        return bare
    try:
        return bare.encode("idna").decode()
    except UnicodeError:  # it is no name, and so none that is compared with it
        return bare
