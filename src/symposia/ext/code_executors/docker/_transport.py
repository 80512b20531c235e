"""The seam between the shared server and a container: its attach stream, and the engine's way to kill it."""

from __future__ import annotations

import asyncio
from typing import Final

from symposia.ext.code_executors.docker._engine import EngineClient
from symposia.ext.code_executors.docker._reaper import remove
from symposia.ext.code_executors.docker._stream import Attachment

READ_BYTES: Final = 64 * 1024


class DockerTransport:
    """A `Transport` to the server in a container. It owns the container and the engine's client."""

    def __init__(self, client: EngineClient, container: str, attachment: Attachment) -> None:
        self._client = client
        self._container = container
        self._attachment = attachment
        self._released = False

    async def read(self) -> bytes:
        """Read what the server wrote; see `Transport.read`."""
        return await self._attachment.reader.read(READ_BYTES)

    async def write(self, data: bytes) -> None:
        """Write to the server; see `Transport.write`."""
        self._attachment.writer.write(data)
        await self._attachment.writer.drain()

    async def close(self) -> None:
        """End the sandbox; see `Transport.close`.

        Killing it is as quick as asking it to end, ends whatever still runs inside, and tells when it is gone.
        """
        await self.kill()

    async def kill(self) -> None:
        """Kill and remove the container; see `Transport.kill`."""
        if self._released:
            return
        self._released = True
        try:
            await remove(self._client, self._container)
        finally:
            self._attachment.writer.close()
            await asyncio.to_thread(self._client.close)

    def last_words(self) -> str:
        """Return the end of the server's stderr; see `Transport.last_words`."""
        return self._attachment.protocol.stderr
