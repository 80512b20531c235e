"""Which hosts code in a sandbox may connect to, and the record of a connection that it tried.

A sandbox has no network. With a `NetworkPolicy` it reaches a proxy of the host, which connects to the hosts on the
list for it. Names are resolved by the host. A name on the list that leads to a private address is refused, unless its
rule says that it is private: the owner of a name decides where it leads.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_WEB_PORTS: Final = (80, 443)
_LARGEST_PORT: Final = 65_535
_MOST_CONNECTIONS: Final = 256  # each is a file descriptor of the server inside, which waits for them by select(2)
_MOST_A_BLOCK: Final = 100_000
_LONGEST_NAME: Final = 253  # RFC 1035, in text form
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_AMBIGUOUS: Final = re.compile("[ßς\u200c\u200d]", re.IGNORECASE)  # IDNA 2003, as Python has it, maps these away
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_HOW_TO_ALLOW: Final = (
    "give a host ('api.test'), with a port ('api.test:443'), all hosts below a domain ('*.example.com'), or an address "
    "('192.0.2.7:8080', '[2001:db8::1]:443')"
)


def host_name(text: str) -> str:
    """A host's name or address in the one form that it is compared in: lower case, an IDNA name in ASCII, no last dot.

    Raises:
        ValueError: It is neither a name nor an address.
    """
    address = ip_address(text)
    if address is not None:
        return str(address)
    if _AMBIGUOUS.search(text):
        raise ValueError(f"{text!r} is another name to older resolvers: give its ASCII form, which begins with 'xn--'")
    try:
        name = text.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError as error:
        raise ValueError(f"{text!r} is not the name of a host") from error
    labels = name.split(".")
    # A last label that is a number makes an address to many resolvers: 127.1, 0x7f000001 (inet_aton(3)).
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)) or _NUMBER.fullmatch(labels[-1]):
        raise ValueError(f"{text!r} is not the name of a host")
    return name


def ip_address(text: str) -> IPAddress | None:
    """An address in its usual form, in brackets or without; None for anything else."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return None if "%" in bare else ipaddress.ip_address(bare)
    except ValueError:
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkRule:
    """Hosts that code may connect to.

    Attributes:
        host: A name; ``*.`` and a domain for all names below it, but not the domain itself; or an address.
        ports: The TCP ports; empty for all.
        private: Whether the names may lead to addresses that are not public: this machine's, those of its networks, the
            metadata service of a cloud. A rule for an address allows that address in any case.
        address: The address of the name, instead of asking for it; empty to ask.

    Raises:
        ArgumentTypeError: `host` or `address` is not a text, or `ports` is not a tuple of numbers.
        InvalidArgumentError: `host` is no name and no address, `address` is none, or a port is not from 1 to 65535.
    """

    host: str
    ports: tuple[int, ...] = _WEB_PORTS
    private: bool = False
    address: str = ""

    def __post_init__(self) -> None:
        host, ports = cast("object", self.host), cast("object", self.ports)
        if not isinstance(host, str):
            raise ArgumentTypeError(f"host of NetworkRule is {host!r}: {_HOW_TO_ALLOW}.")
        if not isinstance(ports, tuple) or not all(type(port) is int for port in cast("tuple[object, ...]", ports)):
            raise ArgumentTypeError(f"ports of NetworkRule is {ports!r}: give a tuple of numbers, such as (443,).")
        if wrong := [port for port in self.ports if not 0 < port <= _LARGEST_PORT]:
            raise InvalidArgumentError(f"ports of NetworkRule names {wrong[0]}: ports are from 1 to {_LARGEST_PORT}.")
        object.__setattr__(self, "host", _checked_host(host))
        address = cast("object", self.address)
        if not isinstance(address, str):
            raise ArgumentTypeError(f"address of NetworkRule is {address!r}: give a text, such as '192.0.2.7'.")
        if address and ip_address(address) is None:
            raise InvalidArgumentError(f"address of NetworkRule is {address!r}: give an IP address, or leave it out.")

    @classmethod
    def parse(cls, text: str) -> NetworkRule:
        """Read ``HOST``, ``HOST:PORT`` or ``HOST:*`` (for all ports).

        Raises:
            InvalidArgumentError: It is none of these.
        """
        if ip_address(text) is not None:
            return cls(host=text)
        host, colon, port = text.rpartition(":")
        if not colon:
            return cls(host=text)
        if port == "*":
            return cls(host=host, ports=())
        if not (port.isascii() and port.isdigit()):
            raise _not_a_host(text)
        return cls(host=host, ports=(int(port),))

    def __str__(self) -> str:
        """As `parse` takes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        ports = () if self.ports == _WEB_PORTS else self.ports or ("*",)
        return ", ".join(f"{host}:{port}" for port in ports) or host

    def fits(self, host: str, port: int) -> bool:
        """Whether it is about a host, in the form of `host_name`, and a port."""
        if self.ports and port not in self.ports:
            return False
        if self.host.startswith("*."):
            return host.endswith(self.host[1:]) and ip_address(host) is None
        return host == self.host


def _checked_host(host: str) -> str:
    wildcard, name = host.startswith("*."), host.removeprefix("*.")
    try:
        checked = host_name(name)
    except ValueError as error:
        raise _not_a_host(host) from error
    if wildcard and ip_address(checked) is not None:
        raise _not_a_host(host)
    return f"*.{checked}" if wildcard else checked


def _not_a_host(text: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"{text!r} does not say which hosts code may connect to: {_HOW_TO_ALLOW}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkPolicy:
    """The network of code in a sandbox: a list of hosts, which it reaches by HTTP and TLS through a proxy of the host.

    Programs find the proxy in the variables ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``ALL_PROXY``, as curl, pip, git,
    urllib, requests and httpx do. Anything else has no network: there is no UDP, no name resolution, no direct
    connection.

    A rule says whom code may connect to. What it says there is not looked at: over TLS it cannot be, and a server that
    hosts several sites may serve any of them.

    Attributes:
        allow: The hosts: texts for `NetworkRule.parse`, or rules. Ports are 80 and 443 where none is named.
        connections: Connections at once, 1 to 256. Further ones wait.
        connections_a_block: Connections that one block may try. Further ones are closed.
        block_bytes: Bytes that one block may send and receive, together.
        connect_timeout: Seconds in which a name has to be resolved and a connection made.
        idle_timeout: Seconds after which a connection is closed that carries nothing.

    Raises:
        ArgumentTypeError: A value has a wrong type.
        InvalidArgumentError: `allow` is empty or names no host, or a number is out of its range.
    """

    allow: Sequence[str | NetworkRule]
    connections: int = 64
    connections_a_block: int = 1000
    block_bytes: int = 256 * 1024 * 1024
    connect_timeout: float = 10.0
    idle_timeout: float = 60.0

    def __post_init__(self) -> None:
        given = cast("object", self.allow)
        if not isinstance(given, list | tuple):
            raise ArgumentTypeError(f"allow of NetworkPolicy is {given!r}: give a list of hosts, such as ['api.test'].")
        if not given:
            raise InvalidArgumentError("allow of NetworkPolicy is empty. For no network, leave the policy out.")
        object.__setattr__(self, "allow", tuple(map(_rule, cast("Sequence[object]", given))))
        _check_whole("connections", self.connections, _MOST_CONNECTIONS)
        _check_whole("connections_a_block", self.connections_a_block, _MOST_A_BLOCK)
        _check_whole("block_bytes", self.block_bytes, 2**53)
        for name in ("connect_timeout", "idle_timeout"):
            value: object = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ArgumentTypeError(f"{name} of NetworkPolicy is {value!r}: give a number of seconds, such as 10.")
            if not 0 < value <= 24 * 3600:
                raise InvalidArgumentError(f"{name} of NetworkPolicy is {value!r}: give seconds, up to a day.")

    @property
    def rules(self) -> tuple[NetworkRule, ...]:
        """The rules of `allow`."""
        return cast("tuple[NetworkRule, ...]", self.allow)

    def rule_for(self, host: str, port: int) -> NetworkRule | None:
        """The rule that allows a host and a port, one for private addresses first; None if there is none.

        Args:
            host: In the form of `host_name`.
            port: The port.
        """
        fitting = [rule for rule in self.rules if rule.fits(host, port)]
        return max(fitting, key=lambda rule: rule.private, default=None)


def _rule(given: object) -> NetworkRule:
    if isinstance(given, NetworkRule):
        return given
    if not isinstance(given, str):
        raise ArgumentTypeError(f"allow of NetworkPolicy holds {given!r}: {_HOW_TO_ALLOW}, or a NetworkRule.")
    return NetworkRule.parse(given)


def _check_whole(name: str, value: object, most: int) -> None:
    if type(value) is not int:
        raise ArgumentTypeError(f"{name} of NetworkPolicy is {value!r}: give a whole number.")
    if not 1 <= value <= most:
        raise InvalidArgumentError(f"{name} of NetworkPolicy is {value}: give a number from 1 to {most:,}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionAttempt:
    """A connection that code in a sandbox tried to make.

    Attributes:
        host: The name or address that it asked for; empty where it asked for nothing that can be understood.
        port: The TCP port; 0 where `host` is empty.
        outcome: ``connected``; ``refused`` by the policy; or ``failed``, where it was allowed and could not be made.
        reason: Why it was refused, or why it failed or was ended: empty for one that ended by itself.
        address: What the host connected to; empty where it did not.
        started: Seconds since 1970.
        seconds: From the first byte to the end.
        bytes_sent: From the code to `address`.
        bytes_received: From `address` to the code.
    """

    host: str
    port: int
    outcome: Literal["connected", "refused", "failed"]
    reason: str = ""
    address: str = ""
    started: float = 0.0
    seconds: float = 0.0
    bytes_sent: int = 0
    bytes_received: int = 0

    @property
    def destination(self) -> str:
        """The host and the port, as in a URL."""
        if not self.host:
            return "a malformed request"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
