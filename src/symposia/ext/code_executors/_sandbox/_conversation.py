"""Frames sent and replies received over a transport, until it is over; and then the reason why."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping
from typing import NamedTuple

from symposia.core.exceptions import SandboxDiedError
from symposia.ext.code_executors._sandbox._inside._frames import Frame, FrameDecoder, FrameError, pack_frame
from symposia.ext.code_executors._sandbox._replies import Reply, parse_reply
from symposia.ext.code_executors._sandbox._transport import Transport


class Message(NamedTuple):
    """A checked reply, and the bytes that came with it."""

    reply: Reply
    data: bytes


class Conversation:
    """What the host and one server say to each other.

    Args:
        transport: Leads to the server.
        max_data_bytes: Most bytes that one reply may carry.
    """

    def __init__(self, transport: Transport, max_data_bytes: int) -> None:
        self._transport = transport
        self._decoder = FrameDecoder(max_data_bytes)
        self._received: deque[Frame] = deque()
        self._over: str | None = None

    async def send(self, header: Mapping[str, object], data: bytes = b"") -> None:
        """Send one frame.

        Raises:
            SandboxDiedError: The sandbox has ended, now or before.
        """
        self._raise_if_over()
        try:
            await self._transport.write(pack_frame(header, data))
        except OSError as error:
            raise await self.died("its server is gone") from error

    async def receive(self) -> Message:
        """The next reply.

        Raises:
            SandboxDiedError: The sandbox has ended, or says what no server would say and so has been killed.
        """
        self._raise_if_over()
        try:
            while not self._received:
                received = await self._transport.read()
                if not received:
                    raise await self.died("its server is gone")
                self._received.extend(self._decoder.feed(received))
            frame = self._received.popleft()
            return Message(parse_reply(frame), frame.data)
        except FrameError as error:
            raise await self.died(str(error)) from error

    async def close(self) -> None:
        """End the sandbox with its help."""
        self._over = self._over or "it was closed"
        await uninterrupted(self._transport.close())

    async def kill(self, reason: str) -> None:
        """End the sandbox without its help. Later requests fail with `reason`."""
        self._over = self._over or reason
        await uninterrupted(self._transport.kill())

    def last_words(self) -> str:
        """What the server wrote on stderr."""
        return self._transport.last_words()

    async def died(self, reason: str) -> SandboxDiedError:
        """Kill the sandbox, and make the error that says why."""
        await self.kill(reason)
        words = self.last_words()
        return SandboxDiedError(f"The sandbox ended: {self._over}." + (f" It wrote: {words}" if words else ""))

    def _raise_if_over(self) -> None:
        if self._over is not None:
            raise SandboxDiedError(f"The sandbox has ended: {self._over}. Make a new one.")


async def uninterrupted(work: Coroutine[None, None, None]) -> None:
    """Await `work` to its end even when cancelled meanwhile; the cancellation is passed on afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled
