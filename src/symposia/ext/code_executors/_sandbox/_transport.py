"""The connection between the host and a backend: two byte streams, and a way to end the server behind them."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol, Self

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


class ProcessTransport(Transport):
    """The streams of a launcher. It ends the sandbox when its stdin is closed, and the sandbox ends with it.

    The launcher is asked, by the end of its stdin, before it is killed, as only it can remove the control groups.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._error_output = ""
        self._reading = False
        self._ending = asyncio.Lock()

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

    async def read(self) -> bytes:
        """See `Transport.read`."""
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        self._reading = True
        try:
            return await self._process.stdout.read(_CHUNK)
        finally:
            self._reading = False

    async def write(self, data: bytes) -> None:
        """See `Transport.write`."""
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        self._process.stdin.write(data)
        await self._process.stdin.drain()

    async def close(self) -> None:
        """See `Transport.close`."""
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        self._process.stdin.close()
        async with self._ending:
            try:
                async with asyncio.timeout(_END_SECONDS):
                    await self._ended()
            except TimeoutError:
                with suppress(ProcessLookupError):
                    self._process.kill()
                await self._ended()

    async def kill(self) -> None:
        """See `Transport.kill`. The launcher kills the sandbox, not the server inside."""
        await self.close()

    def error_output(self) -> str:
        """See `Transport.error_output`; known once it has ended."""
        return self._error_output

    async def _ended(self) -> None:
        while not self._reading and await self.read():
            pass  # asyncio takes a process for ended only when its output has been read
        await self._process.wait()
        if self._process.stderr is not None and not self._error_output:
            self._error_output = (
                (await self._process.stderr.read(_ERROR_OUTPUT_BYTES)).decode("utf-8", "replace").strip()
            )
