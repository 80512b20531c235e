"""Where a name leads, and whether code may go there.

A name is resolved once, and the connection is made to an address that was checked: who controls a name could have a
second answer ready for a second question. All addresses of a name are checked and not only the one that is taken, as a
name with a public and a private address is made for such a game.

An address is public if the registries say so. `ipaddress` knows most of them; what its older versions lack is listed
here, with addresses that carry another one inside. This machine's own public addresses are refused as its loopback is:
what listens there may trust what comes from the machine itself.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

from symposia.core.code_executor import NetworkRule

IPAddress: TypeAlias = IPv4Address | IPv6Address

RESOLVED_AT_ONCE: Final = 4
"""Names of one sandbox that are resolved at the same time. Others wait, up to `NetworkPolicy.connect_timeout`."""
_RESOLVERS: Final = 32  # threads of the process, made when they are needed
_MOST_ADDRESSES: Final = 8
_NO_PORT_IN_PARTICULAR: Final = 9
_NOT_PUBLIC_4: Final = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments; a cloud's metadata service has an address there
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
    IPv4Network("168.63.129.16/32"),  # a public address by its number, and Azure's service for its own machines
)
_GLOBAL_UNICAST_6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = (
    IPv6Network("2001::/23"),  # protocol assignments, Teredo among them
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4: carries an IPv4 address
    IPv6Network("3fff::/20"),  # documentation
)
_NAT64: Final = IPv6Network("64:ff9b::/96")  # the last 32 bits are an IPv4 address, which a gateway connects to


class DestinationError(Exception):
    """Code may not go there. The text says why."""


class UnknownNameError(Exception):
    """A name does not lead anywhere. The text says why."""


def is_public(address: IPAddress) -> bool:
    """Whether an address is reached over the Internet, rather than on this machine or in one of its networks."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        return (
            address in _GLOBAL_UNICAST_6
            and address.is_global
            and not any(address in network for network in _NOT_PUBLIC_6)
        )
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved)
        and not any(address in network for network in _NOT_PUBLIC_4)
    )


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


def is_own(address: IPAddress) -> bool:
    """Whether an address is one of this machine's.

    The kernel is asked for the route: to an address of its own it sends from that address. UDP's `connect` sends
    nothing. A list of the interfaces would need a different way in each system.
    """
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET  # noqa: PLR2004
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), _NO_PORT_IN_PARTICULAR))
            return ip_address(probe.getsockname()[0]) == address
    except OSError:  # no route, or no such family: nor can a connection be made
        return False


@cache
def _resolvers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="symposia-resolver")
