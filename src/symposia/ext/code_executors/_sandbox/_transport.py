"""The connection between the host and a backend: two byte streams, and a way to end the server behind them."""

from __future__ import annotations

import asyncio
import os
from abc import abstractmethod
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Final, Protocol, Self
from weakref import WeakSet

from typing_extensions import override

from symposia.core import uninterrupted

_CHUNK = 64 * 1024
_END_SECONDS = 1.0
_ERROR_OUTPUT_BYTES = 4096


class Transport(Protocol):
    """The server's stdin and stdout, wherever it runs. One caller at a time reads, one writes."""

    async def read(self) -> bytes:
        """Some bytes of the server's stdout, at most 64 KiB or so; ``b""`` once it has ended.

        Cancelling it loses nothing: the next call returns what would have been returned.
        """
        ...

    async def write(self, data: bytes) -> None:
        """Send to the server's stdin, and wait while it is congested.

        Cancelling it stops the waiting, not the sending.

        Raises:
            OSError: The server has ended.
        """
        ...

    async def close(self) -> None:
        """Close the server's stdin, upon which it ends, and release all that belongs to the sandbox.

        Returns when it is gone. Where it does not end by itself within a second or so, it is killed. Closing twice, or
        after `kill`, is harmless.
        """
        ...

    async def kill(self) -> None:
        """Kill the sandbox from outside, and release all that belongs to it. Killing twice is harmless."""
        ...

    def error_output(self) -> str:
        """What the server, or the program that started it, wrote on stderr: the reason where it did not start."""
        ...


class StreamTransport(Transport):
    """A server's streams. The end of its stdin asks it to end; that of its stderr tells that all of it is gone.

    A process that is forked from this one does not keep its stdin open, with which it would outlive its owner.

    Args:
        stdin: Leads to the server.
        stdout: Of the server.
        stderr: Of the server, and of what started it.
        end_seconds: After which it is killed, where it does not end.
    """

    def __init__(
        self,
        stdin: asyncio.StreamWriter,
        stdout: asyncio.StreamReader,
        stderr: asyncio.StreamReader,
        *,
        end_seconds: float = _END_SECONDS,
    ) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._stderr = stderr
        self._end_seconds = end_seconds
        self._error_output = b""
        self._reading = False
        self._ending = asyncio.Lock()
        _TRANSPORTS.add(self)

    def leave(self) -> None:
        """In a process that was forked from this one's: close its own copy of the server's stdin."""
        pipe: IO[bytes] | None = self._stdin.get_extra_info("pipe")
        if pipe is not None:
            pipe.close()

    @abstractmethod
    def _kill(self) -> None:
        """Kill it from outside, where it has not ended by itself."""

    @abstractmethod
    async def _wait(self) -> None:
        """Wait until it is gone, when its streams have ended."""

    async def read(self) -> bytes:
        """See `Transport.read`."""
        self._reading = True
        try:
            return await self._stdout.read(_CHUNK)
        finally:
            self._reading = False

    async def write(self, data: bytes) -> None:
        """See `Transport.write`."""
        self._stdin.write(data)
        await self._stdin.drain()

    async def close(self) -> None:
        """See `Transport.close`."""
        self._stdin.close()
        async with self._ending:
            try:
                async with asyncio.timeout(self._end_seconds):
                    await self._ended()
            except TimeoutError:
                with suppress(ProcessLookupError):
                    self._kill()
                await self._ended()

    async def kill(self) -> None:
        """See `Transport.kill`. The sandbox is killed by what started it, not by the server inside."""
        await self.close()

    def error_output(self) -> str:
        """See `Transport.error_output`; known once it has ended."""
        return self._error_output.decode("utf-8", "replace").strip()

    async def _ended(self) -> None:
        while not self._reading and await self.read():
            pass  # asyncio takes a process for ended only when its output has been read
        while piece := await self._stderr.read(_CHUNK):
            self._error_output = (self._error_output + piece)[:_ERROR_OUTPUT_BYTES]
        await self._wait()


_TRANSPORTS: Final = WeakSet[StreamTransport]()
"""Those of this process."""


def _leave_all() -> None:
    for transport in list(_TRANSPORTS):
        transport.leave()
    _TRANSPORTS.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all)


class ProcessTransport(StreamTransport):
    """The streams of a launcher. It ends the sandbox when its stdin is closed, and the sandbox ends with it.

    The launcher is asked, by the end of its stdin, before it is killed, as only it can remove the control groups.
    """

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None  # noqa: S101, PT018 - asked for
        super().__init__(process.stdin, process.stdout, process.stderr)
        self._process = process

    @classmethod
    async def start(cls, command: Sequence[str], program: bytes) -> Self:
        """Start `command` with an empty environment, in a session of its own, and send `program`.

        Raises:
            OSError: It cannot be started.
        """
        # In "/", so that a sandbox holds on to no folder that its caller wants to remove or unmount.
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env={}, cwd="/", start_new_session=True
        )
        transport = cls(process)
        try:
            with suppress(OSError):  # it has ended already: the next read tells why
                await transport.write(program)
        except BaseException:
            await uninterrupted(transport.kill())
            raise
        return transport

    @override
    def _kill(self) -> None:
        self._process.kill()

    @override
    async def _wait(self) -> None:
        await self._process.wait()
