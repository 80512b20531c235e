"""A process of the host with a limit on its time and its output, ended together with all that it started.

All that it started, as known without a sandbox: the members of its process group. A child that makes
a group of its own (setsid(2)) is out of reach. Making this process the reaper of all orphans (PR_SET_CHILD_SUBREAPER)
was rejected: it would adopt those of the whole program, which is the user's. So was looking for descendants in /proc: a
process whose parent has ended cannot be traced back any more.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from symposia.core.code_executor import OutputListener, OutputStream, RunStatus, SandboxPolicy, SandboxResult
from symposia.ext.code_executors._sandbox._results import TIMEOUT_EXIT_CODE, BlockOutput

DRAIN_SECONDS: Final = 0.5  # for a process outside the group that keeps a pipe open; otherwise the end comes at once


async def run_process(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    time_limit: float,
    limits: SandboxPolicy,
    on_output: OutputListener | None = None,
) -> SandboxResult:
    """Run a command in a process group of its own, which is killed when it ends, at a limit, or when cancelled.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        environment: All of its environment.
        time_limit: Seconds.
        limits: How much output is kept, and how much ends it.
        on_output: Called on the event loop with each piece of output as it comes.

    Raises:
        OSError: It cannot be started.
    """
    output = _Output(limits, on_output)
    started = time.monotonic()
    async with _collected(output, "stdout") as stdout, _collected(output, "stderr") as stderr:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout.child_end,
            stderr=stderr.child_end,
            start_new_session=True,
        )
        try:
            stdout.close_child_end()
            stderr.close_child_end()
            status = await _ended(process, output, time_limit)
        finally:
            await _kill_group(process)
        await _drained(stdout, stderr)
    return output.result(status, _exit_code(process.returncode, status), time.monotonic() - started)


class _Output:
    """The output of the process so far, and an event that is set when it is too much."""

    def __init__(self, limits: SandboxPolicy, listener: OutputListener | None) -> None:
        self._kept = BlockOutput(limits, listener)
        self.too_much = asyncio.Event()

    def add(self, stream: OutputStream, data: bytes) -> None:
        self._kept.add(stream, data)
        if self._kept.is_too_much:
            self.too_much.set()

    def result(self, status: RunStatus, exit_code: int, wall_seconds: float) -> SandboxResult:
        return self._kept.result(status, exit_code, wall_seconds)


class _Collector(asyncio.Protocol):
    """Reads one pipe to its end, or until it is closed.

    Not `asyncio.subprocess.PIPE`: that ties the end of the process to the end of its pipes, which a surviving child
    may hold open for ever.
    """

    def __init__(self, output: _Output, stream: OutputStream, child_end: int) -> None:
        self._output = output
        self._stream: OutputStream = stream
        self._child_is_open = True
        self.child_end = child_end
        self.at_end = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self._output.add(self._stream, data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.at_end.set()

    def close_child_end(self) -> None:
        if self._child_is_open:
            self._child_is_open = False
            os.close(self.child_end)


@asynccontextmanager
async def _collected(output: _Output, stream: OutputStream) -> AsyncGenerator[_Collector]:
    read_end, child_end = os.pipe()
    collector = _Collector(output, stream, child_end)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: collector,
        open(read_end, "rb", buffering=0),  # noqa: ASYNC230, PTH123, SIM115 - the transport closes it
    )
    try:
        yield collector
    finally:
        collector.close_child_end()
        transport.close()


async def _ended(process: asyncio.subprocess.Process, output: _Output, time_limit: float) -> RunStatus:
    """Wait until the process has ended or has reached a limit."""
    waits = [asyncio.ensure_future(process.wait()), asyncio.ensure_future(output.too_much.wait())]
    try:
        await asyncio.wait(waits, timeout=time_limit, return_when=asyncio.FIRST_COMPLETED)
        if output.too_much.is_set():
            return "output_limit"
        if not waits[0].done():
            return "timeout"
        return "ok" if process.returncode == 0 else "error"
    finally:
        for wait in waits:
            wait.cancel()


async def _kill_group(process: asyncio.subprocess.Process) -> None:
    """Kill the process and everything that it started and that has not left its group.

    The group first, and also when the process itself has ended: its children may live on. The kernel gives its number
    to no other process as long as the group has a member (POSIX, fork), and an empty group is a ProcessLookupError.
    """
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def _drained(*collectors: _Collector) -> None:
    """Read the rest of the pipes, without waiting long for a process that keeps one open."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            for collector in collectors:
                await collector.at_end.wait()


def _exit_code(returncode: int | None, status: RunStatus) -> int:
    if status == "timeout":
        return TIMEOUT_EXIT_CODE
    code = returncode or 0
    return code if code >= 0 else 128 - code
