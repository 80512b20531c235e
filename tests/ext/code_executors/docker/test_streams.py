"""Requests for a stream, in memory: however the answer is cut, and whatever it is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.core.exceptions import SandboxError
from symposia.ext.code_executors.docker._engine import EngineConflictError, EngineNotFoundError
from symposia.ext.code_executors.docker._streams import MOST_ANSWER_BYTES, UpgradingProtocol, upgrade_request

UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


class Connection(asyncio.Transport):
    """Keeps what is written, and gives what comes to the protocol that it has at the time."""

    def __init__(self, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self.written = b""
        self.set_protocol(protocol)
        protocol.connection_made(self)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol: Any = protocol  # Any: of a protocol's methods, only those of a stream are used

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.written += data

    def receive(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._protocol.data_received(piece)

    def lose(self) -> None:
        self._protocol.connection_lost(None)


class Stream(asyncio.Protocol):
    def __init__(self) -> None:
        self.received = b""
        self.transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert self.transport is not None
        self.received += data


def begin() -> tuple[UpgradingProtocol, Connection, Stream]:
    stream = Stream()
    upgrading = UpgradingProtocol(upgrade_request("/v1.41/containers/1/attach", b""), stream)
    return upgrading, Connection(upgrading), stream


@given(body=st.binary(max_size=40), cuts=st.lists(st.integers(1, 30), min_size=1, max_size=5))
async def test_a_stream_begins_after_the_answer_however_it_is_cut(body: bytes, cuts: list[int]) -> None:
    upgrading, connection, stream = begin()
    wire = UPGRADED + body
    while wire:
        piece, wire = wire[: cuts[0]], wire[cuts[0] :]
        cuts = cuts[1:] + cuts[:1]
        connection.receive(piece)
    await upgrading.upgraded
    assert stream.transport is connection
    assert stream.received == body


async def test_the_request_asks_for_an_upgrade_and_has_its_json() -> None:
    request = upgrade_request("/v1.41/exec/1/start", b'{"Tty": false}')
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1.41/exec/1/start HTTP/1.1\r\n")
    assert b"\r\nUpgrade: tcp\r\n" in head
    assert head.endswith(b"Content-Length: 14")
    assert body == b'{"Tty": false}'


@pytest.mark.parametrize(
    ("status", "kind"), [(404, EngineNotFoundError), (409, EngineConflictError), (500, SandboxError)]
)
async def test_a_refusal_has_the_engines_reason(status: int, kind: type[SandboxError]) -> None:
    upgrading, connection, _ = begin()
    body = b'{"message": "no such thing"}'
    connection.receive(f"HTTP/1.1 {status} Reason\r\nContent-Length: {len(body)}\r\n\r\n".encode(), body[:5], body[5:])
    with pytest.raises(kind, match=f"The Docker engine answered: {status}: no such thing"):
        await upgrading.upgraded


@pytest.mark.parametrize("pieces", [[], [b"HTTP/1.1 101 UPGR"]])
async def test_a_connection_that_closes_before_the_answer_is_an_error(pieces: list[bytes]) -> None:
    upgrading, connection, _ = begin()
    connection.receive(*pieces)
    connection.lose()
    with pytest.raises(SandboxError, match="closed the connection of a stream: without an answer"):
        await upgrading.upgraded


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n\r\n", b"x" * (MOST_ANSWER_BYTES + 1)])
async def test_an_answer_that_is_no_http_is_an_error(answer: bytes) -> None:
    upgrading, connection, _ = begin()
    connection.receive(answer)
    with pytest.raises(SandboxError, match="The Docker engine"):
        await upgrading.upgraded
