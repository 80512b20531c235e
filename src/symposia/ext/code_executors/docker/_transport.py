"""The transport to the first process of a container: the attach stream of the engine, and its way to kill."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from symposia.core import uninterrupted
from symposia.core.exceptions import SandboxError
from symposia.ext.code_executors.docker._engine import EngineClient, ask
from symposia.ext.code_executors.docker._reaper import remove, remove_labelled
from symposia.ext.code_executors.docker._streams import open_stream

HEADER_BYTES: Final = 8
STDOUT: Final = 1
STDERR: Final = 2
STDERR_KEPT_BYTES: Final = 4096
ATTACH: Final = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}


class FrameSplitter:
    """Separates stdout from stderr, however the stream is split. Does no I/O, and never buffers a whole frame."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._stream = 0
        self._left = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Take the next piece; give back the parts of it that belong to a stream, each with the stream's number."""
        parts: list[tuple[int, bytes]] = []
        view = memoryview(data)
        while view:
            if not self._left:
                view = self._read_header(view)
                continue
            part, view = view[: self._left], view[self._left :]
            self._left -= len(part)
            parts.append((self._stream, bytes(part)))
        return parts

    def _read_header(self, view: memoryview) -> memoryview:
        missing = HEADER_BYTES - len(self._header)
        self._header += view[:missing]
        if len(self._header) == HEADER_BYTES:
            self._stream = self._header[0]
            self._left = int.from_bytes(self._header[4:], "big")
            self._header.clear()
        return view[missing:]


class AttachedProtocol(asyncio.StreamReaderProtocol):
    """Feeds a container's stdout to a `StreamReader` and keeps the end of its stderr."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self._splitter = FrameSplitter()
        self._stderr = bytearray()

    @property
    def stderr(self) -> str:
        """The end of the stderr of the container's first process."""
        return self._stderr.decode(errors="replace")

    def data_received(self, data: bytes) -> None:
        for stream, part in self._splitter.feed(data):
            if stream == STDOUT:
                super().data_received(part)
            elif stream == STDERR:
                # Blocks write to streams of their own, so this is the server's, or Python's that cannot start it. The
                # end is kept, as that is where a traceback has its reason.
                self._stderr += part
                del self._stderr[:-STDERR_KEPT_BYTES]


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """The stdin and stdout of a container's first process, and the end of its stderr."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    protocol: AttachedProtocol

    @classmethod
    async def open(cls, client: EngineClient, container: str) -> Self:
        """Attach to a container.

        Raises:
            SandboxError: The engine does not answer, or has no such container.
        """
        reader = asyncio.StreamReader()
        protocol = AttachedProtocol(reader)
        transport = await open_stream(client, f"/containers/{container}/attach", protocol, query=ATTACH)
        writer = asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())
        return cls(reader=reader, writer=writer, protocol=protocol)


async def start_attached(
    client: EngineClient,
    config: Mapping[str, object],
    labels: Mapping[str, str],
    name: str | None,
    fill: Callable[[str], object] | None = None,
) -> tuple[Attachment, str]:
    """Create a container, attach to it, then start it, so that none of its output is missed.

    Where that fails or is cancelled, no container and no connection stays.

    Args:
        client: The engine.
        config: The request for the container.
        labels: Those in the request, by which the container is found.
        name: The name of the container; made up by the engine when None.
        fill: Called with the container's id before it starts, in a worker thread, to put files into it.

    Returns:
        The streams of its first process, and its id.
    """
    attached: list[Attachment] = []

    async def attach(container: str) -> None:
        attached.append(await Attachment.open(client, container))

    try:
        container = str((await ask(client.create_container_from_config, config, name))["Id"])
        if fill is not None:
            await ask(fill, container)
        await uninterrupted(attach(container))  # cut in the middle, it would lose an open connection
        await ask(client.start, container)
    except BaseException:
        for attachment in attached:
            attachment.writer.close()
        # By label: where creating it was cancelled, its id is not known here.
        await uninterrupted(remove_labelled(client, labels))
        raise
    return attached[0], container


READ_BYTES: Final = 64 * 1024


class DockerTransport:
    """A `Transport` to the server in a container. It owns the container and the engine's client."""

    def __init__(self, client: EngineClient, container: str, attachment: Attachment) -> None:
        self._client = client
        self._container = container
        self._attachment = attachment
        self._released = False
        self._failure = ""
        self._ending = asyncio.Lock()

    async def read(self) -> bytes:
        """Read the server's output; see `Transport.read`."""
        return await self._attachment.reader.read(READ_BYTES)

    async def write(self, data: bytes) -> None:
        """Write to the server; see `Transport.write`."""
        self._attachment.writer.write(data)
        await self._attachment.writer.drain()

    async def close(self) -> None:
        """End the sandbox; see `Transport.close`.

        The container is killed at once: that is as quick as the end of its stdin, ends whatever still runs inside, and
        the engine tells when it is gone.
        """
        await self.kill()

    async def kill(self) -> None:
        """Kill and remove the container; see `Transport.kill`."""
        async with self._ending:  # a second call at the same time returns when the container is gone, too
            if self._released:
                return
            self._released = True
            try:
                await remove(self._client, self._container)
            except SandboxError as error:
                # The engine is gone, or does not answer. The container ends with its stdin, and is removed by the
                # engine or before the next sandbox. The caller has to know why the sandbox ended, which may be this.
                self._failure = f"{self._container[:12]} could not be removed: {error}"
            finally:
                self._attachment.writer.close()
                await asyncio.to_thread(self._client.close)

    def error_output(self) -> str:
        """Return the end of the server's stderr, or why the container was not removed; see `Transport.error_output`."""
        return self._attachment.protocol.stderr or self._failure
