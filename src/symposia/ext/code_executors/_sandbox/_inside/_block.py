"""One block: its processes, watched until the first one ends or a limit ends it; then nothing of it is left.

The order at the end is fixed. First everything is killed, then the rest of the output is read, and the verdict comes
last. A block is over when its first process has ended, not when its output has: a daemon may hold the pipes open for
ever. What was written before the kill is still in the pipes after it.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, Protocol

from ._channel import Channel, NoConnections
from ._frames import CONNECTION_KINDS, FrameError
from ._output import Output
from ._processes import Report, Started, Usage

_CHUNK = 64 * 1024
# How often it is asked whether a limit is used up. The kernel tells of no full tmpfs and, where no cgroup counts, of no
# sum of memory. At 5 GB a second, a process writes 100 MB of memory between two looks.
_LOOK_SECONDS = 0.02
_TIMEOUT_EXIT_CODE = 124
_SIGNAL_EXIT_CODE = 128


class End(NamedTuple):
    """How a block ended."""

    status: str
    exit_code: int
    wall_seconds: float
    usage: Usage


class BlockProcesses(Protocol):
    """The processes of a block, as far as it follows them; see `Processes`."""

    ended_fd: int
    first_status: int | None
    usage: Usage

    def begin(self, started: Started) -> None:
        """Count for the block of that process from now on."""
        ...

    def reap(self) -> None:
        """Reap all processes that have ended."""
        ...


class BlockEnding(Protocol):
    """How everything that a block has started is ended."""

    def end_block(self) -> None:
        """End it, and return when nothing of it runs."""
        ...

    def end_reported(self, report: Report) -> bool:
        """End a block whose interpreter is at its end; return False where its end has to be waited for."""
        ...


class Block:
    """A block to run.

    Args:
        channel: Where its output goes, and where a request to cancel it comes from.
        processes: All processes of the sandbox.
        ending: Ends it.
        over_limit: Asked often, and at the end: the status that a used-up limit gives to the block, or nothing.
        output: Takes its output.
        connections: Carries its connections.
    """

    def __init__(
        self,
        channel: Channel,
        processes: BlockProcesses,
        ending: BlockEnding,
        over_limit: Callable[[], str],
        output: Output,
        connections: NoConnections,
    ) -> None:
        self._channel = channel
        self._processes = processes
        self._ending = ending
        self._over_limit = over_limit
        self._output = output
        self._connections = connections
        self._streams: dict[int, str] = {}
        self._report_fd = -1
        self._report: Report | None = None
        self._stop = ""

    def run(self, start: Callable[[], Started], time_limit: float) -> End:
        """Run it until it ends or a limit ends it, and kill the processes that it left.

        Args:
            start: Starts its first process. The time that this takes is not the block's: an interpreter that a block
                before has broken is waited for, and made anew.
            time_limit: In seconds.
        """
        self._connections.begin()
        try:
            self._start(start())
            began = time.monotonic()
            self._receive_frames()  # to cancel it may have come together with the request
            self._follow(began, began + time_limit)
            if self._stop or self._report is None:
                self._ending.end_block()
            for fd in list(self._streams):
                self._forward_the_rest(fd)
            self._output.end(cut=self._stop == "output_limit")
        finally:
            self._connections.end()
            for fd in self._streams:
                os.close(fd)
            if self._report_fd >= 0:
                os.close(self._report_fd)
        status, exit_code = self._verdict()
        return End(status, exit_code, time.monotonic() - began, self._processes.usage)

    def _start(self, started: Started) -> None:
        self._processes.begin(started)
        self._streams = {started.stdout: "stdout", started.stderr: "stderr"}
        self._report_fd = started.report
        for fd in self._streams:
            os.set_blocking(fd, False)

    def _follow(self, now: float, deadline: float) -> None:
        """Forward output until the block ends by itself, or `_stop` names what ends it."""
        next_look = now + _LOOK_SECONDS
        while not self._stop and self._report is None and self._processes.first_status is None:
            if now >= deadline:
                self._stop = "timeout"
                return
            if now >= next_look:
                next_look = now + _LOOK_SECONDS
                self._stop = self._over_limit()
                self._channel.send_some()
            self._wait(min(deadline, next_look) - now)
            now = time.monotonic()

    def _wait(self, seconds: float) -> None:
        """Handle ready events, or wait for one."""
        channel = self._channel
        self._output.send_some()
        readers = [self._processes.ended_fd, channel.receive_fd]
        if not self._output.is_full:  # a slow host slows the block down then, as a pipe would
            readers += [*self._streams, *self._connections.readers()]
        if self._report_fd >= 0:
            readers.append(self._report_fd)
        writers = [*self._connections.writers(), *([channel.send_fd] if channel.unsent else [])]
        # Descriptors here stay far below the 1,024 that select can take: all are opened by the server itself. asyncio
        # would cost its import at each start of a sandbox.
        readable, writable, _ = select.select(readers, writers, [], seconds)
        if channel.send_fd in writable:
            channel.send_some()
        self._connections.handle(readable, writable)
        for fd in readable:
            if fd in self._streams:
                self._forward(fd)
            elif fd == channel.receive_fd:
                channel.receive_some()
                self._receive_frames()
            elif fd == self._report_fd:
                self._receive_report()
            elif fd == self._processes.ended_fd:
                self._processes.reap()

    def _forward(self, fd: int) -> None:
        """Forward a piece of output. The pipe has some, or is at its end."""
        data = os.read(fd, _CHUNK)
        if not data:
            del self._streams[fd]
            os.close(fd)
            return
        if not self._output.add(self._streams[fd], data):
            self._stop = self._stop or "output_limit"

    def _forward_the_rest(self, fd: int) -> None:
        """Forward the rest of a pipe whose writers are dead; a descriptor in flight may still keep it open."""
        with suppress(BlockingIOError):
            while fd in self._streams and self._stop != "output_limit":
                self._forward(fd)

    def _receive_report(self) -> None:
        """Take what the interpreter says at its end, if nothing else is left of the block.

        Otherwise its end is waited for, as that of any program. So it is if the block writes anything else there.
        """
        # What came before the report counts first: its output, and a request to cancel it, whose descriptor select
        # tells before this one. A block has one end: once its variables are kept, it cannot be rolled back.
        for fd in list(self._streams):
            self._forward_the_rest(fd)
        if self._stop:
            return
        report = Report.unpack(os.read(self._report_fd, _CHUNK))
        os.close(self._report_fd)
        self._report_fd = -1
        if report is not None and self._ending.end_reported(report):
            self._report = report

    def _receive_frames(self) -> None:
        while self._channel.has_frame:
            frame = self._channel.receive()
            kind = frame.header["kind"]
            if kind in CONNECTION_KINDS:
                self._connections.take(frame)
            elif kind != "cancel":
                raise FrameError(f"a {kind!r} request while a block runs")
            else:
                self._stop = self._stop or "cancelled"

    def _verdict(self) -> tuple[str, int]:
        """The status and the exit code, as a shell would report it."""
        if self._stop == "timeout":
            return "timeout", _TIMEOUT_EXIT_CODE
        stop = self._stop or self._over_limit()
        if stop:
            return stop, _SIGNAL_EXIT_CODE + signal.SIGKILL
        status = self._processes.first_status or 0
        if self._report is not None:
            exit_code = self._report.exit_code
        elif os.WIFSIGNALED(status):
            return "crashed", _SIGNAL_EXIT_CODE + os.WTERMSIG(status)
        else:
            exit_code = os.WEXITSTATUS(status)
        return ("error" if exit_code else "ok"), exit_code
