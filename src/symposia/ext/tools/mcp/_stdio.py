"""The process of a server on this machine.

The order of the shutdown is the protocol's:
https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle#shutdown.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from symposia._lazy import lazy_module
from symposia.core.exceptions import ToolServiceError
from symposia.ext.tools.mcp._lines import CHUNK, ServerOutput, message_streams
from symposia.ext.tools.mcp._params import StdioServerParams, where

if TYPE_CHECKING:
    from symposia.ext.tools.mcp import _sdk as sdk
else:
    sdk = lazy_module("symposia.ext.tools.mcp._sdk")

_LAST_WORDS_SECONDS: Final = 1.0
"""Seconds in which the rest of the standard error is read. A child of the server may hold it open for longer."""
_GRACE_SECONDS: Final = 2.0
"""Seconds that a server has to end after its input is closed, and again after the signal to end."""


@asynccontextmanager
async def stdio_streams(params: StdioServerParams, output: ServerOutput) -> AsyncGenerator[tuple[Any, Any]]:
    """Start a server; as long as this is open, messages pass.

    Raises:
        ToolServiceError: The program cannot be started.
    """
    process = await _start(params)
    assert process.stdin is not None  # noqa: S101 - pipes
    assert process.stdout is not None  # noqa: S101
    output.ending = lambda: _ending(process.returncode)
    errors = asyncio.create_task(_read_errors(process, output))

    async def stop() -> None:
        if not await _ends_by_itself(process):
            output.ending = str  # by a signal of this program, which explains nothing
            await _end(process)
        await asyncio.wait([errors], timeout=_LAST_WORDS_SECONDS)

    try:
        async with message_streams(params, process.stdout, process.stdin, output, stop) as streams:
            yield streams
    finally:
        errors.cancel()
        await asyncio.gather(errors, return_exceptions=True)
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - a child of the server may hold the pipes


def _ending(status: int | None) -> str:
    if status is None:
        return ""
    return f"Its process ended {f'by the signal {-status}' if status < 0 else f'with exit status {status}'}."


async def _read_errors(process: asyncio.subprocess.Process, output: ServerOutput) -> None:
    """Keep the end of the standard error."""
    assert process.stderr is not None  # noqa: S101 - a pipe
    while data := await process.stderr.read(CHUNK):
        output.add_error(data.decode(errors="replace"))


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


async def _ends_by_itself(process: asyncio.subprocess.Process) -> bool:
    """Close the input, wait, and say whether the server has ended."""
    assert process.stdin is not None  # noqa: S101 - a pipe
    process.stdin.close()
    return await _ends(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the whole group of processes."""
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
