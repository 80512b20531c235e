"""The network of one sandbox: its connections, each a task that reads a request, decides, connects and carries bytes.

A task ends with its connection, and all end with their block. What a task keeps is bounded by the windows of its
stream, by the buffers of one socket, and by the longest head; how many there are, by the policy. Every connection ends
in a `ConnectionAttempt`, whatever ends it.

What a tunnel carries is not looked at. The name in a TLS greeting could be compared with the one that was asked for,
but the request inside, which decides on a server of several sites, is encrypted: a check that holds nothing was
rejected. The rule decides whom code talks to.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Literal

from symposia.core import uninterrupted
from symposia.core.code_executor import MIB, ConnectionAttempt, ConnectionListener, NetworkPolicy
from symposia.core.exceptions import SandboxDiedError
from symposia.ext._hosts import UnknownNameError, open_first
from symposia.ext.code_executors._sandbox._inside._frames import FrameError
from symposia.ext.code_executors._sandbox._inside._relay import WINDOW
from symposia.ext.code_executors._sandbox._proxy._destinations import DestinationError, Destinations
from symposia.ext.code_executors._sandbox._proxy._request import (
    ProxyRequest,
    RequestError,
    answer,
    head_length,
    parse_head,
)
from symposia.ext.code_executors._sandbox._proxy._streams import BlockStream, Send
from symposia.ext.code_executors._sandbox._proxy._transfer import AttemptInProgress, Transfer, TransferLimitError

logger = logging.getLogger(__name__)

_LINGER_SECONDS: Final = 5.0  # in which a program has to read the end of an answer and close
_NOT_LISTED: Final = "not on the allow-list"
_GIVEN_UP: Final = "the code closed it, or ended, before there was an answer"
_SANDBOX_ENDED: Final = "the sandbox ended"
_SLOW_HEAD: Final = "the request did not come in time"


class SandboxNetwork:
    """The connections of one sandbox, block by block.

    Args:
        policy: Whom the code may connect to, and how much.
        send: Sends a frame to the server.
    """

    def __init__(self, policy: NetworkPolicy, send: Send) -> None:
        self._policy = policy
        self._send = send
        self._listener: ConnectionListener | None = None
        self._last_number = 0
        self._open: dict[int, tuple[BlockStream, asyncio.Task[None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._attempts: list[ConnectionAttempt] = []
        self._failures: list[BaseException] = []
        self._destinations = Destinations()
        self._following_chunks = asyncio.Lock()
        self._made = 0
        self._bytes_left = 0
        self._bytes_taken = 0

    def observe(self, listener: ConnectionListener) -> None:
        """Report each attempt when it has ended."""
        self._listener = listener

    def begin_block(self) -> None:
        """Count for a new block."""
        self._attempts, self._made = [], 0
        self._bytes_left, self._bytes_taken = self._policy.block_bytes, 0

    async def end_block(self) -> Sequence[ConnectionAttempt]:
        """Close all connections, and return what the block tried.

        Raises:
            Exception: A listener failed.
        """
        self._open.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await uninterrupted(asyncio.wait(tasks))
        failures, self._failures = self._failures, []
        if failures:
            raise failures[0]
        return tuple(self._attempts)

    def connect(self, number: int) -> None:
        """Take a new connection.

        Raises:
            FrameError: The number is not a new one, or there are more connections than the server lets in.
        """
        self._made += 1
        too_many = len(self._open) >= self._policy.connections or self._made > self._policy.connections_a_block
        if number <= self._last_number or too_many:
            raise FrameError("it made a connection that it may not make")
        self._last_number = number
        stream, attempt = BlockStream(number, self._send), AttemptInProgress()
        task = asyncio.create_task(self._serve(stream, attempt))
        self._open[number] = stream, task
        self._tasks.add(task)
        # By a callback: a task that is cancelled before its first step runs no line of its own.
        task.add_done_callback(lambda task: self._ended(task, attempt))

    def feed(self, number: int, data: bytes) -> None:
        """Take bytes of a connection. They count for the block even if it is gone, and its end is on its way.

        Raises:
            FrameError: They are more than the server may send.
        """
        self._bytes_taken += len(data)
        # What is not counted as carried: a head with what came behind it, what is read after a refusal, and what is on
        # its way.
        most = self._policy.block_bytes + self._made * 4 * WINDOW
        if self._bytes_taken > most or not data:
            raise FrameError("it sent more on its connections than the policy allows")
        if (stream := self._stream(number)) is not None:
            stream.feed(data)

    def grant(self, number: int, count: int) -> None:
        """Take note that the block has read so many bytes.

        Raises:
            FrameError: They are more than it was sent.
        """
        if (stream := self._stream(number)) is not None:
            stream.grant(count)

    def feed_end(self, number: int) -> None:
        """Take note that the block sends no more on a connection.

        Raises:
            FrameError: That was said before.
        """
        if (stream := self._stream(number)) is not None:
            stream.feed_end()

    def close(self, number: int) -> None:
        """Take note that the block has closed a connection."""
        if self._stream(number) is not None:
            _, task = self._open.pop(number)
            task.cancel()

    def _stream(self, number: int) -> BlockStream | None:
        """The stream of that number; None for one that is closed here, which the server may not know yet.

        Raises:
            FrameError: There never was one.
        """
        if number > self._last_number:
            raise FrameError("it named a connection that it has not made")
        return self._open[number][0] if number in self._open else None

    def _ended(self, task: asyncio.Task[None], attempt: AttemptInProgress) -> None:
        """Report an attempt, however it ended. What fails is raised at the end of the block."""
        self._tasks.discard(task)
        if task.cancelled() and not (attempt.address or attempt.reason):
            attempt.reason = _GIVEN_UP
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failures.append(error)
        result = attempt.result()
        self._attempts.append(result)
        level = logging.DEBUG if result.outcome == "connected" else logging.INFO
        logger.log(level, "Code in a sandbox: %s %s %s", result.destination, result.outcome, result.reason)
        try:
            if self._listener is not None:
                self._listener(result)
        except Exception as failure:  # noqa: BLE001 - whatever a listener raises is its caller's to see
            self._failures.append(failure)

    async def _serve(self, stream: BlockStream, attempt: AttemptInProgress) -> None:
        try:
            await self._carry(stream, attempt)
            # Here if the connection ended on the host's side. A cancelled task needs no frame: either the server has
            # said that the connection is gone, or its block has ended.
            if self._open.pop(stream.number, None) is not None:
                await stream.close()
        except SandboxDiedError:  # which the block's own request raises
            attempt.reason = _SANDBOX_ENDED

    async def _carry(self, stream: BlockStream, attempt: AttemptInProgress) -> None:
        """Answer a request, or carry it out; and wait for the block to take the end."""
        try:
            request, rest = await self._request(stream, attempt)
            reader, writer = await self._connected(request, attempt)
        except _AnsweredError as answered:
            attempt.outcome, attempt.reason = answered.outcome, str(answered)
            await _say(stream, answered.status, f"{attempt.result().destination} {answered.outcome}: {answered}")
            return
        try:
            await self._splice(stream, reader, writer, request, rest, attempt)
        finally:
            writer.transport.abort()  # what is in its buffer now, the block no longer waits for

    async def _request(self, stream: BlockStream, attempt: AttemptInProgress) -> tuple[ProxyRequest, bytes]:
        """The request, and what came behind its head."""
        received = bytearray()
        try:
            async with asyncio.timeout(self._policy.idle_timeout):
                while not (length := head_length(received)):
                    piece = await stream.read()
                    if not piece:
                        raise _AnsweredError(400, "failed", "the request is incomplete")
                    received += piece
            request = parse_head(bytes(received[:length]))
        except TimeoutError as error:
            raise _AnsweredError(408, "failed", _SLOW_HEAD) from error
        except RequestError as error:
            raise _AnsweredError(400, "refused", str(error)) from error
        attempt.host, attempt.port = request.host, request.port
        return request, bytes(received[length:])

    async def _connected(
        self, request: ProxyRequest, attempt: AttemptInProgress
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        rule = self._policy.rule_for(request.host, request.port)
        if rule is None:
            raise _AnsweredError(403, "refused", _NOT_LISTED)
        try:
            async with asyncio.timeout(self._policy.connect_timeout):
                addresses = await self._destinations.addresses_of(request.host, request.port, rule)
                attempt.address, reader, writer = await open_first(addresses, request.port)
                return reader, writer
        except DestinationError as error:
            raise _AnsweredError(403, "refused", str(error)) from error
        except UnknownNameError as error:
            raise _AnsweredError(502, "failed", str(error)) from error
        except TimeoutError as error:
            raise _AnsweredError(504, "failed", f"no answer within {self._policy.connect_timeout:g} s") from error
        except OSError as error:
            raise _AnsweredError(502, "failed", error.strerror or "it cannot be connected to") from error

    async def _splice(
        self,
        stream: BlockStream,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        request: ProxyRequest,
        rest: bytes,
        attempt: AttemptInProgress,
    ) -> None:
        """Carry bytes in both directions until both have ended, one fails, or nothing comes for too long."""
        transfer = Transfer(stream, reader, writer, attempt, self._count, self._following_chunks)
        try:
            await transfer.run(request, rest, self._policy.idle_timeout)
        except TimeoutError:
            attempt.reason = f"nothing was sent for {self._policy.idle_timeout:g} s"
        except TransferLimitError:
            attempt.reason = f"the block has used up its {self._policy.block_bytes / MIB:g} MiB"
        except RequestError as error:
            attempt.reason = str(error)
        except OSError as error:
            attempt.reason = error.strerror or "the connection was lost"

    def _count(self, data: bytes) -> None:
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            raise TransferLimitError


class _AnsweredError(Exception):
    """A request that is not carried out: the status of the answer, and the outcome."""

    def __init__(self, status: int, outcome: Literal["refused", "failed"], text: str) -> None:
        super().__init__(text)
        self.status = status
        self.outcome: Literal["refused", "failed"] = outcome


_PHRASES: Final = {
    400: "Bad request",
    403: "Forbidden by the network policy of the sandbox",
    408: "Request timeout",
    502: "Cannot connect",
    504: "Connect timeout",
}


async def _say(stream: BlockStream, status: int, text: str) -> None:
    """Answer, and wait a while until the block has read it and closes: to close first could lose the answer."""
    await stream.write(answer(status, _PHRASES[status], text))
    await stream.end()
    left = WINDOW
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while left > 0 and (data := await stream.read()):
                left -= len(data)
