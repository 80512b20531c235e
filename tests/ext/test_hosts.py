"""Names that lead to several addresses, and the connection to the one that answers first."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from symposia.core.exceptions import ToolServiceError
from symposia.ext._hosts import MOST_ADDRESSES, Resolver, canonical_host, first_connection
from symposia.ext.tools.browser._proxy import HostRules


class Network:
    """Addresses that answer, refuse or are silent.

    Attributes:
        tried: The addresses that were connected to.
        left: Those whose attempt was ended.
        closed: The connections that were closed again.
        both: Set when two were connected to.
    """

    def __init__(self) -> None:
        self.tried: list[str] = []
        self.left: list[str] = []
        self.closed: list[str] = []
        self.both = asyncio.Event()

    async def connect(self, address: str) -> str:
        self.tried.append(address)
        if len(self.tried) > 1:
            self.both.set()
        if address.startswith("refused"):
            raise ConnectionRefusedError(address)
        if address.startswith("silent"):
            try:
                await asyncio.Event().wait()
            finally:
                self.left.append(address)
        return address

    async def close(self, connection: str) -> None:
        self.closed.append(connection)

    def first(self, *addresses: str) -> Awaitable[str]:
        return asyncio.wait_for(first_connection(addresses, self.connect, self.close), 20)


async def test_a_silent_address_does_not_hold_up_the_next_one() -> None:
    network = Network()
    assert await network.first("silent", "refused", "good", "other") == "good"
    assert (network.tried, network.left, network.closed) == (["silent", "refused", "good"], ["silent"], [])


async def test_the_error_is_that_of_the_last_address() -> None:
    with pytest.raises(ConnectionRefusedError, match="refused2"):
        await Network().first("refused1", "refused2")


async def test_a_connection_that_is_not_needed_is_closed() -> None:
    network = Network()

    async def connect(address: str) -> str:
        await network.connect(address)
        await network.both.wait()
        return address

    taken = await asyncio.wait_for(first_connection(["a", "b"], connect, network.close), 20)
    assert sorted([taken, *network.closed]) == ["a", "b"]


async def test_a_caller_that_is_cancelled_leaves_no_attempt() -> None:
    network = Network()
    connecting = asyncio.ensure_future(network.first("silent1", "silent2"))
    await asyncio.wait_for(network.both.wait(), 20)
    connecting.cancel()
    await asyncio.wait([connecting])
    assert connecting.cancelled()
    assert network.left == ["silent1", "silent2"]


def leading_to(*addresses: str) -> Callable[..., list[tuple[object, ...]]]:
    return lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 80)) for each in addresses]


async def test_addresses_of_both_families_are_tried_in_turn_and_all_are_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    six = [f"2606:2800:220:1::{number}" for number in range(9)]
    monkeypatch.setattr(socket, "getaddrinfo", leading_to(*six, "93.184.216.34", "10.0.0.1"))
    found = await Resolver("test", 1).resolve("many.example", 80)
    assert found.addresses[:5] == [six[0], "93.184.216.34", six[1], "10.0.0.1", six[2]]
    assert len(found.addresses) == MOST_ADDRESSES
    assert found.private == ("10.0.0.1", "not a public address")


@pytest.mark.parametrize(
    ("rule", "host"),
    [
        ("[::1]:8080", "::1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("LOCALHOST", "localhost"),
        ("Localhost.:8080", "localhost."),
        ("*", "localhost"),
    ],
)
async def test_a_private_host_is_named_as_addresses_are_written(
    rule: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", leading_to("::1"))
    assert (await HostRules([rule]).resolve(host, 8080)).addresses == ["::1"]
    if rule.endswith("8080"):
        with pytest.raises(ToolServiceError, match="may not visit"):
            await HostRules([rule]).resolve(host, 81)


def test_names_are_compared_as_they_are_resolved() -> None:
    assert canonical_host("B\u00dccher.Example.") == canonical_host("xn--bcher-kva.example")
    assert canonical_host("[::1]") == "::1"
