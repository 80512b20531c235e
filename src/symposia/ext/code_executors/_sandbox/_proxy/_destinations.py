"""Where a name leads, and whether code may go there. `symposia.ext._hosts` says why it is decided once for both."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from typing import Final

from symposia.core.code_executor import NetworkRule
from symposia.ext._hosts import ResolvedHost, Resolver

RESOLVED_AT_ONCE: Final = 4
"""Names of one sandbox that are resolved at the same time. Others wait, up to `NetworkPolicy.connect_timeout`."""
_resolver: Final = Resolver("sandbox", 32)


class DestinationError(Exception):
    """Code may not go there. The text says why."""


class Destinations:
    """Resolves the names for one sandbox, a few at a time: no sandbox keeps the threads that resolve from the others.

    A thread counts until it has ended, also when the block that asked is gone: a block could have all of them by asking
    and leaving.
    """

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(RESOLVED_AT_ONCE)

    async def addresses_of(self, host: str, port: int, rule: NetworkRule) -> list[str]:
        """The addresses of a host that a rule allows, in the order in which they are to be tried.

        Raises:
            DestinationError: One of them may not be connected to.
            UnknownNameError: There is none.
        """
        await self._free.acquire()
        when_free = partial(self._free_in, asyncio.get_running_loop())
        found = await _resolver.resolve(rule.address or host, port, when_free=when_free)
        is_named_itself = rule.host == host == found.addresses[0]  # an address, which the user has written down
        if not (rule.private or is_named_itself):
            _require_public(host, found)
        return list(found.addresses)

    def _free_in(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop has ended, and the sandbox with it
            loop.call_soon_threadsafe(self._free.release)


def _require_public(host: str, found: ResolvedHost) -> None:
    if found.private is None:
        return
    address, reason = found.private
    try:
        ip_address(host)
    except ValueError:
        raise DestinationError(f"it leads to {address}, which is {reason}") from None
    raise DestinationError(f"it is {reason}")
