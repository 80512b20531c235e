"""Which addresses are on the Internet, rather than on this machine or in one of its networks.

An address is public if the registries say so. `ipaddress` knows most of them; what its older versions lack is listed
here, with addresses that carry another one inside. This machine's own public addresses are refused as its loopback is:
what listens there may trust what comes from the machine itself.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

IPAddress: TypeAlias = IPv4Address | IPv6Address

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


def why_not_public(address: IPAddress) -> str | None:
    """What an address is that pages, models and code may not connect to unless the user allows it; None if they may."""
    if not is_public(address):
        return "not a public address"
    return "an address of this machine" if is_own(address) else None


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
