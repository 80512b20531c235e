"""One connection of a block, as the host has it: bytes in and out over frames, with a window in each direction.

The window is held here as well as inside (`_inside._relay`): a server that sends more than it was allowed breaks the
protocol, so that no connection ever keeps more than a window on the host, however slow its other end reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from symposia.ext.code_executors._sandbox._inside._frames import FrameError
from symposia.ext.code_executors._sandbox._inside._relay import WINDOW

_CHUNK: Final = 32 * 1024  # small, so that connections take turns

Send = Callable[[Mapping[str, object], bytes], Awaitable[None]]
"""Sends a frame to the server."""


class BlockStream:
    """A connection of a block. One task reads, one writes.

    Args:
        number: Its number in frames.
        send: Sends frames.
    """

    def __init__(self, number: int, send: Send) -> None:
        self.number = number
        self._send = send
        self._received = bytearray()
        self._allowed = WINDOW  # what the block may still send
        self._taken = 0  # what `read` returned last
        self._ended = False
        self._readable = asyncio.Event()
        self._credit = WINDOW  # what the block still takes
        self._writable = asyncio.Event()

    def feed(self, data: bytes) -> None:
        """Take bytes of the block.

        Raises:
            FrameError: They are none, or more than the server was allowed to send.
        """
        if not data or len(data) > self._allowed or self._ended:
            raise FrameError("it sent more on a connection than it may")
        self._allowed -= len(data)
        self._received += data
        self._readable.set()

    def feed_end(self) -> None:
        """Take note that the block sends no more.

        Raises:
            FrameError: That was said before.
        """
        if self._ended:
            raise FrameError("it ended a connection twice")
        self._ended = True
        self._readable.set()

    def grant(self, count: int) -> None:
        """Take note that the block has read so many bytes.

        Raises:
            FrameError: They are more than it was sent.
        """
        if self._credit + count > WINDOW:
            raise FrameError("it read more from a connection than it was sent")
        self._credit += count
        self._writable.set()

    async def read(self) -> bytes:
        """Some bytes of the block; ``b""`` once it sends no more.

        What the call before returned has been passed on by then: only now may the block send as much again.
        """
        if self._taken:
            taken, self._taken = self._taken, 0
            self._allowed += taken
            await self._send({"kind": "window", "connection": self.number, "bytes": taken}, b"")
        while not self._received and not self._ended:
            self._readable.clear()
            await self._readable.wait()
        data = bytes(self._received)
        self._received.clear()
        self._taken = len(data)
        return data

    async def write(self, data: bytes) -> None:
        """Send bytes to the block, and wait while it takes none."""
        view = memoryview(data)
        while view:
            while not self._credit:
                self._writable.clear()
                await self._writable.wait()
            piece = view[: min(self._credit, _CHUNK)]
            self._credit -= len(piece)
            await self._send({"kind": "data", "connection": self.number}, bytes(piece))
            view = view[len(piece) :]

    async def end(self) -> None:
        """Tell the block that no more comes."""
        await self._send({"kind": "end", "connection": self.number}, b"")

    async def close(self) -> None:
        """Tell the server that the connection is gone. What it still has for the block is dropped."""
        await self._send({"kind": "close", "connection": self.number}, b"")
