"""The process of a server on this machine, and the messages on its standard input and output.

The SDK has this too. It reads a line of any length (in quadratic time), and leaves the standard error to the terminal,
so that no error can say why a server did not start. The streams of messages are the SDK's, and so is the order of the
shutdown: https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle#shutdown.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from symposia._lazy import lazy_module
from symposia.core.exceptions import ToolServiceError
from symposia.core.terminal_text import printable
from symposia.ext.tools.mcp._params import StdioServerParams, where

if TYPE_CHECKING:
    import anyio

    from symposia.ext.tools.mcp import _sdk as sdk
else:
    anyio = lazy_module("anyio")
    sdk = lazy_module("symposia.ext.tools.mcp._sdk")

_log: Final = logging.getLogger(__name__)

_CHUNK: Final = 256 * 1024
_ENDS: Final = 512
"""Bytes that are kept of each end of a line above the limit: a message has its id at one of them."""
_KEPT: Final = 2_000
"""Characters of the standard error that are kept for an error."""
_LAST_WORDS_SECONDS: Final = 1.0
"""Seconds in which the rest of the standard error is read. A child of the server may hold it open for longer."""
_GRACE_SECONDS: Final = 2.0
"""Seconds that a server has to end after its input is closed, and again after the signal to end."""

_ID_FIRST: Final = re.compile(rb'^\s*\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(\d+)\s*,')
_ID_LAST: Final = re.compile(rb'"id"\s*:\s*(\d+)\s*\}\s*$')


class LongLine(NamedTuple):
    """A line above the limit, of which the ends are kept."""

    head: bytes
    tail: bytes

    @property
    def request_id(self) -> bytes | None:
        """The id of the request that it answers, if it is where SDKs write it."""
        found = _ID_FIRST.search(self.head) or _ID_LAST.search(self.tail)
        return None if found is None else found[1]


class LineSplitter:
    """Splits bytes into lines.

    Args:
        most: The most bytes of a line.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._pieces: list[bytes] = []
        self._size = 0
        self._long: LongLine | None = None

    def feed(self, data: bytes) -> Iterator[bytes | LongLine]:
        """Yield the lines that `data` ends."""
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._add(piece)
            yield self._take()
        self._add(rest)

    def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)  # joined once: adding to a line is quadratic
        self._size += len(piece)
        if self._size > self._most:
            known = b"".join(self._pieces)
            head = known[:_ENDS] if self._long is None else self._long.head
            self._long = LongLine(head, known[-_ENDS:])
            # The tail stays, since the end of the line may come in small pieces.
            self._pieces = [self._long.tail]

    def _take(self) -> bytes | LongLine:
        line = b"".join(self._pieces) if self._long is None else self._long
        self._pieces, self._size, self._long = [], 0, None
        return line


class ServerOutput:
    """What is known of a server besides its messages, for errors.

    Attributes:
        closed: Called when the server has closed its output.
        fault: Why its messages are no longer read; None if that is not the reason.
    """

    def __init__(self, closed: Callable[[], None]) -> None:
        self.closed = closed
        self.fault: str | None = None
        self._errors = ""
        self._stray = ""
        self._process: asyncio.subprocess.Process | None = None

    def watch(self, process: asyncio.subprocess.Process) -> None:
        """Learn which process it is."""
        self._process = process

    def add_error(self, text: str) -> None:
        """Keep text of the standard error."""
        self._errors = (self._errors + text)[-_KEPT:]
        for line in text.splitlines():
            _log.debug("MCP server: %s", printable(line))

    def add_stray(self, line: str) -> None:
        """Keep a line of the standard output that is no message."""
        self._stray = line[:_KEPT]
        _log.warning("The MCP server wrote a line that is no message: %s", printable(line[:200]))

    def describe(self) -> str:
        """Sentences about the end of the process and its output; empty if nothing is known."""
        found: list[str] = []
        status = None if self._process is None else self._process.returncode
        if status is not None:
            found.append(f"Its process ended {_ending(status)}.")
        if self.fault:
            found.append(f"{self.fault[:1].upper()}{self.fault[1:]}.")
        if self._errors.strip():
            found.append(f"It wrote on its standard error: {printable(self._errors.strip())}")
        elif self._stray:
            found.append(f"It wrote what is no MCP message: {printable(self._stray)}")
        return " ".join(found)


def _ending(status: int) -> str:
    return f"by the signal {-status}" if status < 0 else f"with exit status {status}"


@asynccontextmanager
async def stdio_streams(params: StdioServerParams, output: ServerOutput) -> AsyncGenerator[tuple[Any, Any]]:
    """Start a server; as long as this is open, messages pass.

    Raises:
        ToolServiceError: The program cannot be started.
    """
    process = await _start(params)
    output.watch(process)
    incoming, read = anyio.create_memory_object_stream[Any](0)
    write, outgoing = anyio.create_memory_object_stream[Any](0)
    pipes = _Pipes(params, process, output)
    errors = asyncio.create_task(pipes.read_errors())
    tasks = [asyncio.create_task(pipes.read(incoming)), asyncio.create_task(pipes.write(outgoing)), errors]
    try:
        yield read, write
    finally:
        read.close()
        write.close()
        await _stop(process)
        await asyncio.wait([errors], timeout=_LAST_WORDS_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for stream in (incoming, outgoing):
            stream.close()
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - a child of the server may hold the pipes


class _Pipes:
    """The tasks between a process and the streams of messages."""

    def __init__(self, params: StdioServerParams, process: asyncio.subprocess.Process, output: ServerOutput) -> None:
        self._params = params
        self._process = process
        self._output = output

    async def read(self, incoming: Any) -> None:
        """Pass on the messages, until the output ends or cannot be read any more."""
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - a pipe
        lines = LineSplitter(sdk.MOST_MESSAGE_BYTES)
        try:
            async with incoming:
                while data := await stdout.read(_CHUNK):
                    for line in lines.feed(data):
                        message = self._message(line)
                        if message is not None:
                            await incoming.send(message)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            while await stdout.read(_CHUNK):  # a server that cannot write does not read the end of its input either
                pass
        except (ValueError, LookupError) as error:
            self._output.fault = str(error)
        finally:
            self._output.closed()

    def _message(self, line: bytes | LongLine) -> object:
        if isinstance(line, LongLine):
            if line.request_id is None:
                raise ValueError(sdk.too_long())
            error = f'{{"code":{sdk.INTERNAL_ERROR},"message":"{sdk.too_long()}"}}'
            return sdk.read_message(f'{{"jsonrpc":"2.0","id":{line.request_id.decode()},"error":{error}}}')
        text = line.decode(self._params.encoding, self._params.encoding_error_handler)
        try:
            return sdk.read_message(text)
        except ValueError:
            if text.strip():
                self._output.add_stray(text)
            return None

    async def write(self, outgoing: Any) -> None:
        """Pass on the messages to the server, until it is gone."""
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - a pipe
        with suppress(OSError):  # the server is gone, which its output says too
            async with outgoing:
                async for message in outgoing:
                    line = f"{sdk.write_message(message)}\n"
                    stdin.write(line.encode(self._params.encoding, self._params.encoding_error_handler))
                    await stdin.drain()

    async def read_errors(self) -> None:
        """Keep the end of the standard error."""
        stderr = self._process.stderr
        assert stderr is not None  # noqa: S101 - a pipe
        while data := await stderr.read(_CHUNK):
            self._output.add_error(data.decode(errors="replace"))


async def _start(params: StdioServerParams) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    command = params.command if sys.platform != "win32" else shutil.which(params.command) or params.command
    try:
        return await asyncio.create_subprocess_exec(
            command,
            *params.args,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env={**sdk.default_environment(), **(params.env or {})},
            cwd=params.cwd,
            start_new_session=True,  # a group of its own, so that its children end with it, and Ctrl-C is not for it
        )
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and params.cwd is not None and error.filename == str(params.cwd):
            reason = f"its folder {str(params.cwd)!r} does not exist"
        elif isinstance(error, FileNotFoundError):
            reason = f"the command {params.command!r} was not found. Install it, or give its path as command"
        else:
            reason = str(error)
        raise ToolServiceError(f"The MCP server '{where(params)}' could not be started: {reason}.") from error


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Close the input, wait, and then end the whole group of processes."""
    assert process.stdin is not None  # noqa: S101 - a pipe
    process.stdin.close()
    if await _ends(process):
        return
    for number in ("SIGTERM", "SIGKILL"):
        _signal(process, number)
        if await _ends(process):
            return


async def _ends(process: asyncio.subprocess.Process) -> bool:
    try:
        async with asyncio.timeout(_GRACE_SECONDS):
            await process.wait()
    except TimeoutError:
        return process.returncode is not None
    return True


def _signal(process: asyncio.subprocess.Process, name: str) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, getattr(signal, name))
