"""Where a name leads, and whether code may go there.

A name is resolved once, and the connection is made to an address that was checked: who controls a name could have a
second answer ready for a second question. All addresses of a name are checked and not only the one that is taken, as a
name with a public and a private address is made for such a game.

Which addresses are public, `symposia.ext._addresses` knows.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from ipaddress import ip_address
from typing import Final

from symposia.core.code_executor import NetworkRule
from symposia.ext._addresses import IPAddress, is_own, is_public

RESOLVED_AT_ONCE: Final = 4
"""Names of one sandbox that are resolved at the same time. Others wait, up to `NetworkPolicy.connect_timeout`."""
_RESOLVERS: Final = 32  # threads of the process, made when they are needed
_MOST_ADDRESSES: Final = 8


class DestinationError(Exception):
    """Code may not go there. The text says why."""


class UnknownNameError(Exception):
    """A name does not lead anywhere. The text says why."""


class Resolver:
    """Resolves the names for one sandbox, a few at a time: no sandbox keeps the threads that resolve from the others.

    A name that its server does not answer takes a thread for half a minute, and a thread cannot be ended. So it counts
    until it has ended, also when the block that asked is gone: a block could have all of them by asking and leaving.
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
        loop = asyncio.get_running_loop()
        # Threads of the program's own pool are for its own work.
        resolving = _resolvers().submit(_resolve, host, port, rule)
        resolving.add_done_callback(lambda _: self._free_in(loop))
        try:
            return await asyncio.wrap_future(resolving)
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "it cannot be resolved"
            raise UnknownNameError(f"there is no address for this name ({why})") from error

    def _free_in(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop has ended, and the sandbox with it
            loop.call_soon_threadsafe(self._free.release)


def _resolve(host: str, port: int, rule: NetworkRule) -> list[str]:
    answers = socket.getaddrinfo(rule.address or host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    found = [str(address) for address in dict.fromkeys(answer[4][0] for answer in answers)]
    is_named_itself = rule.host == host == found[0]  # an address, which the user has written down
    if not (rule.private or is_named_itself):
        for address in found:
            _refuse_unless_public(host, ip_address(address))
    return found[:_MOST_ADDRESSES]


def _refuse_unless_public(host: str, address: IPAddress) -> None:
    if is_public(address) and not is_own(address):
        return
    what = "an address of this machine" if is_public(address) else "not a public address"
    raise DestinationError(f"it is {what}" if str(address) == host else f"it leads to {address}, which is {what}")


@cache
def _resolvers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="symposia-resolver")
