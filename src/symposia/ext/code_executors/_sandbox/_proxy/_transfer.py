"""Carrying the bytes of one connection that was made, in both directions, and counting them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, Literal

from symposia.core import cancel_and_wait
from symposia.core.code_executor import ConnectionAttempt
from symposia.ext.code_executors._sandbox._proxy._body import TakeBody, body_of
from symposia.ext.code_executors._sandbox._proxy._request import ProxyRequest
from symposia.ext.code_executors._sandbox._proxy._streams import BlockStream

_CHUNK: Final = 64 * 1024
_CHUNKED_SLICE: Final = 2 * 1024
_ESTABLISHED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"


class TransferLimitError(Exception):
    """The block has used up its bytes."""


class AttemptInProgress:
    """What is known so far of a connection that a block tries.

    Attributes:
        outcome: ``refused`` or ``failed``, as long as there is no address.
    """

    def __init__(self) -> None:
        self._started, self._began = time.time(), time.monotonic()
        self.host, self.port, self.address = "", 0, ""
        self.outcome: Literal["refused", "failed"] = "failed"
        self.reason = ""
        self.bytes_sent = self.bytes_received = 0

    def result(self) -> ConnectionAttempt:
        """As a record."""
        return ConnectionAttempt(
            host=self.host,
            port=self.port,
            outcome="connected" if self.address else self.outcome,
            reason=self.reason,
            address=self.address,
            started=self._started,
            seconds=time.monotonic() - self._began,
            bytes_sent=self.bytes_sent,
            bytes_received=self.bytes_received,
        )


class Transfer:
    """The two directions of a connection. Each waits for the other side to take what it sends, and keeps one piece.

    Args:
        stream: The block's end.
        reader: From the server.
        writer: To the server.
        attempt: Where the bytes are counted.
        count: Called with each piece; raises `TransferLimitError` where the block may carry no more.
        turn: Held by the one transfer of a sandbox that follows chunks.
    """

    def __init__(
        self,
        stream: BlockStream,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        attempt: AttemptInProgress,
        count: Callable[[bytes], None],
        turn: asyncio.Lock,
    ) -> None:
        self._stream = stream
        self._reader = reader
        self._writer = writer
        self._attempt = attempt
        self._count = count
        self._turn = turn
        self._deadline = asyncio.timeout(None)
        self._idle_seconds = 0.0

    async def run(self, request: ProxyRequest, rest: bytes, idle_seconds: float) -> None:
        """Carry bytes until both directions have ended.

        Args:
            request: What the block asks for.
            rest: What came behind its head.
            idle_seconds: Most seconds without a byte.

        Raises:
            TransferLimitError: The block may carry no more.
            RequestError: The body of the request can be read in more than one way.
            SandboxDiedError: The sandbox has ended.
            TimeoutError: Nothing came for too long.
            OSError: The server has ended the connection.
        """
        self._idle_seconds = idle_seconds
        async with self._deadline:
            self._has_carried()
            if request.is_tunnel:
                await self._stream.write(_ESTABLISHED)
            await _both(self._send(request, rest), self._receive())

    async def _send(self, request: ProxyRequest, data: bytes) -> None:
        take = body_of(request)  # what follows the request is dropped: it would be the next one
        self._writer.write(request.head)
        self._attempt.bytes_sent += len(request.head)
        while True:
            self._has_carried()
            self._count(data)
            if request.is_chunked:
                await self._pass_on_slowly(take, data)
            else:
                self._pass_on(take(data))
            await self._writer.drain()
            if not (data := await self._stream.read()):
                break
        if request.is_tunnel and self._writer.can_write_eof():  # many servers take an early end for a lost client
            self._writer.write_eof()

    def _pass_on(self, data: bytes) -> None:
        self._attempt.bytes_sent += len(data)
        self._writer.write(data)

    async def _pass_on_slowly(self, take: TakeBody, data: bytes) -> None:
        """Pass on what is in chunks. These may be of one byte each, so that to follow a window takes 60 milliseconds.

        So it is done in slices, of which the event loop takes one in each round, however many connections there are.
        """
        for start in range(0, len(data), _CHUNKED_SLICE):
            async with self._turn:
                self._pass_on(take(data[start : start + _CHUNKED_SLICE]))
                await asyncio.sleep(0)

    async def _receive(self) -> None:
        while data := await self._reader.read(_CHUNK):
            self._has_carried()
            self._count(data)
            self._attempt.bytes_received += len(data)
            await self._stream.write(data)
        await self._stream.end()

    def _has_carried(self) -> None:
        if not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time() + self._idle_seconds)


async def _both(*directions: Coroutine[Any, Any, None]) -> None:  # Any: a coroutine's own
    """Wait for both. Where one fails, the other is cancelled, and the first error is raised by itself."""
    tasks = [asyncio.ensure_future(direction) for direction in directions]
    try:
        await asyncio.gather(*tasks)
    finally:
        await cancel_and_wait(*tasks)
