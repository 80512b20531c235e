"""The session of a stateful sandbox: one interpreter for all blocks, and a checkpoint of it to go back to.

Before each block the interpreter forks. The child is the checkpoint: it has the same variables, shares their memory,
and is stopped. What a block assigns that ends by itself, also with an error, is kept, and the checkpoint ended. After a
block that met a limit, was cancelled or ended its own process, the checkpoint is the interpreter of the next block.

- Both are made of what the blocks before have left. A block can kill them, change them and answer for them, as they
  have its user id. So nothing that they say is believed: after each step the server looks at the processes that there
  are. If these are not the ones that there should be, all are killed and a new interpreter begins.
- Nothing runs between two blocks: all processes are stopped (SIGSTOP), which none can refuse, and to continue a stopped
  one takes another that runs, or the kernel. The filter of system calls leaves the kernel no reason of time or input,
  and nothing ends while processes are to stay stopped: the end of one can continue another (by the signal that tells
  its parent, or by the terminal that it held).
- Where a block leaves processes or threads, the interpreter ends them (`_session_script`) before the result is sent.
  The next checkpoint is forked after that, so that a block takes no longer than in a sandbox without state.

Rejected: a process that keeps the variables and forks each block. Threads would end in the same way, but the process
number would change with each block, `random` would start anew, and the end of a block would have to be asked from a
process that the blocks can write to. Pickling the variables would lose those that cannot be pickled.
"""

from __future__ import annotations

import _socket
import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from ._channel import Settings
from ._interpreters import Interpreters, before_fork
from ._memory import MemoryWatch
from ._processes import Processes, Report, Started, resident_bytes, state_and_seconds, thread_counts
from ._session_script import ALONE, CHECKPOINT, RUN, run_message, run_session

# How long an answer is waited for. At the end of a block, less than the two seconds after which the host kills a
# sandbox that does not end it; otherwise less than the thirty after which it kills one that begins no block.
_END_SECONDS, _BEGIN_SECONDS = 1.0, 5.0
_NEW_SECONDS = 20.0  # of an interpreter in which no block has run, which answers as soon as it can
_KILL_SECONDS = 0.2  # in which a process stops that can; others are killed as they are
_ATTEMPTS = 3
_LOOK_SECONDS = 0.0005
_MEMORY_LOOK_SECONDS = 0.02  # as while a block runs
_MESSAGE_BYTES = 64
_MOST_MESSAGES = 2048  # in a queue: far above net.unix.max_dgram_qlen
_STOPPED = ("T", "t", "Z", "X")  # stopped, and ended


class Session(Interpreters):
    """Gives all Python blocks one interpreter.

    Args:
        settings: Where the blocks run, and what is imported ahead.
        processes: All processes.
        memory: Their memory, which is watched here where no block is followed.
    """

    def __init__(self, settings: Settings, processes: Processes, memory: MemoryWatch) -> None:
        super().__init__(settings, processes)
        self._memory = memory
        self._control: _socket.socket | None = None
        self._far_end: _socket.socket | None = None  # kept, to take out what an interpreter that was killed did not
        self._interpreter = 0
        self._checkpoint = 0
        self._used_checkpoint = 0  # of the block before: stopped, and killed when the next one is made
        self._is_alone = False  # the interpreter, but for a used checkpoint; both are stopped then
        self._has_run = False
        self._answer_seconds = _NEW_SECONDS
        self._runs_python = False
        self._blocks = 0
        self._changes: list[str] = []

    @property
    def is_ready(self) -> bool:
        """Whether nothing is left to import: what the server imports does not reach an interpreter that has run."""
        return self._has_run or super().is_ready

    def import_named_in(self, source: bytes) -> None:
        """Import what a block names; see `Interpreters.import_named_in`."""
        if not self._has_run:
            super().import_named_in(source)

    def prepare(self) -> bool:
        """Have an interpreter wait for the next block, and a checkpoint of it; see `Interpreters.prepare`."""
        self._answer_seconds = _BEGIN_SECONDS if self._has_run else _NEW_SECONDS
        if self._has_run and not self._checkpoint:
            is_alone = self._is_alone or self._isolate(self._interpreter)
            if not (is_alone and self._make_checkpoint()):
                self._lose("lost_before")
        if self._interpreter:
            return False
        self._begin()
        return True

    def start(self, source: bytes, path: str) -> Started:
        """Run a block; see `Interpreters.start`.

        Raises:
            RuntimeError: Not even a new interpreter takes it.
        """
        self._blocks += 1
        self._runs_python = True
        for _ in range(_ATTEMPTS):
            self.prepare()
            started = self._start(source, path)
            if started is not None:
                self._is_alone = False
                return started
            if self._has_run:
                self._lose("lost_before")
            else:  # it was killed as it waited: the sandbox was short of memory
                self.discard()
        raise RuntimeError("new interpreters end before they run a block")

    def end_reported(self, report: Report) -> bool:
        """End a block whose interpreter says that it is at its end. Its variables are kept."""
        self._answer_seconds = _END_SECONDS
        self._processes.add(report)
        self._has_run = True
        checkpoint, self._checkpoint = self._checkpoint, 0
        expected = {self._interpreter: 1, **({checkpoint: 1} if checkpoint else {})}
        self._is_alone = self._stop_all() and thread_counts() == expected
        self._used_checkpoint = checkpoint if self._is_alone else 0
        if not self._is_alone and not self._isolate(self._interpreter):
            self._lose("lost")
        return True

    def end_block(self) -> None:
        """End everything of a block that met a limit, was cancelled or has ended its process."""
        self._answer_seconds = _END_SECONDS
        kept = self._interpreter if self._has_run else 0
        if self._runs_python:
            kept = self._checkpoint
            self._changes.append("rolled_back")
            # Stopped before it is killed: one that waits for its next message could take that of its checkpoint, and
            # then die with it.
            self._stop_all(_KILL_SECONDS)
            _signal(self._interpreter, signal.SIGKILL)
        if not kept:
            self.discard()
        elif not self._isolate(kept):
            self._lose("lost")

    def make_way(self) -> None:
        """Keep the interpreter beside a block in another language, if it has run."""
        self._runs_python = False
        if not self._has_run:
            self.discard()

    def take_changes(self) -> list[str]:
        """What has become of the variables since this was called last.

        ``lost_before``: those of earlier blocks were lost before this block; ``rolled_back``: they are as before it;
        ``lost``: they are lost after it.
        """
        changes, self._changes = self._changes, []
        return changes

    def discard(self) -> None:
        """End the interpreter, and everything else; the variables are gone."""
        self._processes.kill_all()
        for end in (self._control, self._far_end):
            if end is not None:
                end.close()
        self._control = self._far_end = None
        self._interpreter = self._checkpoint = self._used_checkpoint = 0
        self._is_alone = self._has_run = False

    def _lose(self, change: str) -> None:
        """Give the variables up, and say so with the result of a block."""
        self.discard()
        self._changes.append(change)

    def _begin(self) -> None:
        """Fork a new interpreter from the server, which nothing of the blocks has reached."""
        self.discard()
        self._control, self._far_end = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        nothing = os.open(os.devnull, os.O_RDWR)
        before_fork()
        self._answer_seconds = _NEW_SECONDS
        self._interpreter = os.fork()
        if self._interpreter == 0:
            self._become_interpreter((self._far_end.fileno(),), nothing, nothing, run_session)
        os.close(nothing)

    def _start(self, source: bytes, path: str) -> Started | None:
        """Have the interpreter run a block. None if it does not answer as it should."""
        if self._control is None:
            return None
        pipes = [os.pipe() for _ in range(3)]
        (source_of_block, source_fd), (stdout, stdout_of_block), (stderr, stderr_of_block) = pipes
        of_block = (source_of_block, stdout_of_block, stderr_of_block)
        report, shared_bytes, earlier_seconds = os.dup(self._control.fileno()), 0, 0.0
        try:
            _, earlier_seconds = state_and_seconds(self._interpreter)
            shared_bytes = resident_bytes(self._interpreter)
            self._drain()
            self._control.sendmsg(*run_message(path, f"<block {self._blocks}>", of_block), _socket.MSG_DONTWAIT)
            os.kill(self._interpreter, signal.SIGCONT)
            _write_all(source_fd, source, self._patience())
            os.close(source_fd)
            source_fd = -1
            has_begun = self._has_answered(RUN)
        except OSError:  # it has ended, or a block has closed the socket
            has_begun = False
        finally:
            for fd in (*of_block, source_fd):
                if fd >= 0:
                    os.close(fd)
        if has_begun:
            return Started(self._interpreter, stdout, stderr, report, shared_bytes, earlier_seconds)
        for fd in (stdout, stderr, report):
            os.close(fd)
        return None

    def _isolate(self, interpreter: int) -> bool:
        """Have a process end all others, and make it the interpreter, stopped. Return whether that worked."""
        self._checkpoint = self._used_checkpoint = 0
        _signal(-1, signal.SIGSTOP)
        if not self._obeys(interpreter, ALONE):
            return False
        patience = self._patience()
        while list((counts := thread_counts()).values()) != [1]:
            left = patience.left()
            if left <= 0 or not counts:
                return False
            select.select([self._processes.ended_fd], [], [], min(left, _LOOK_SECONDS))
            self._processes.reap()
        [self._interpreter] = counts  # another one than before, where threads were left
        self._is_alone = self._stop_all()
        return self._is_alone

    def _make_checkpoint(self) -> bool:
        """Have the interpreter fork its checkpoint. Return whether that worked; both are stopped then."""
        if self._used_checkpoint:  # the interpreter waits for it before it forks
            _signal(self._used_checkpoint, signal.SIGKILL)
            self._used_checkpoint = 0
        if not (self._obeys(self._interpreter, CHECKPOINT) and self._stop_all()):
            return False
        counts = thread_counts()
        others = [process for process in counts if process != self._interpreter]
        if list(counts.values()) != [1, 1] or len(others) != 1:
            return False
        self._checkpoint = others[0]
        return True

    def _obeys(self, interpreter: int, command: bytes) -> bool:
        """Continue a stopped interpreter with a command. Return whether it says that it has done it."""
        self._drain()
        try:
            if self._control is not None:
                self._control.send(command, _socket.MSG_DONTWAIT)
            os.kill(interpreter, signal.SIGCONT)
            return self._has_answered(command)
        except OSError:  # it has ended, or a block has closed the socket
            return False

    def _has_answered(self, word: bytes) -> bool:
        """Wait for an answer, and return whether it comes.

        Others are passed over: a process that is killed may be in the middle of sending its report.
        """
        if self._control is None:
            return False
        patience = self._patience()
        while (left := patience.left()) > 0:
            readable, _, _ = select.select([self._control, self._processes.ended_fd], [], [], left)
            if self._control in readable:
                received = self._control.recv(_MESSAGE_BYTES, _socket.MSG_DONTWAIT)
                if received == word:
                    return True
                continue
            self._processes.reap()
            if not thread_counts():
                break
        return False

    def _drain(self) -> None:
        """Take out what was sent to processes that were killed, and what blocks have sent."""
        for end in (self._control, self._far_end):
            if end is None:
                continue
            with suppress(OSError):  # there is no more
                for _ in range(_MOST_MESSAGES):  # not up to an empty one: any process can send these
                    end.recv(_MESSAGE_BYTES, _socket.MSG_DONTWAIT)

    def _stop_all(self, seconds: float | None = None) -> bool:
        """Stop all processes. Return whether none of them runs; by default as soon as an answer has to come."""
        _signal(-1, signal.SIGSTOP)
        patience = self._patience(seconds)
        while patience.left() > 0:
            if all(_is_stopped(process) for process in thread_counts()):
                return True
            time.sleep(_LOOK_SECONDS)
        return False

    def _patience(self, seconds: float | None = None) -> _Patience:
        return _Patience(self._answer_seconds if seconds is None else seconds, self._memory.is_over)


class _Patience:
    """How long something is waited for that hostile code does: so many seconds, and no longer than there is memory.

    The code of a block may run then, as in the hooks of a fork, and nothing else looks at the memory meanwhile.

    Args:
        seconds: The most.
        is_over: Whether more memory is in use than the limit.
    """

    def __init__(self, seconds: float, is_over: Callable[[], bool]) -> None:
        now = time.monotonic()
        self._deadline = now + seconds
        self._next_look = now + _MEMORY_LOOK_SECONDS  # most answers come before, and cost no look
        self._is_over = is_over

    def left(self) -> float:
        """Seconds to wait before this is asked again; not above 0 when it is enough."""
        now = time.monotonic()
        if now >= self._next_look:
            if self._is_over():
                self._deadline = now
            self._next_look = now + _MEMORY_LOOK_SECONDS
        return min(self._deadline, self._next_look) - now


def _is_stopped(process: int) -> bool:
    try:
        return state_and_seconds(process)[0] in _STOPPED
    except OSError:  # it has ended meanwhile
        return True


def _signal(process: int, number: int) -> None:
    with suppress(ProcessLookupError):  # there is none
        os.kill(process, number)


def _write_all(fd: int, data: bytes, patience: _Patience) -> None:
    """Write to a pipe that may not be read.

    Raises:
        OSError: It is not read in time, or not at all.
    """
    os.set_blocking(fd, False)
    view = memoryview(data)
    while view:
        left = patience.left()
        if left <= 0:
            raise TimeoutError
        if select.select([], [fd], [], left)[1]:
            view = view[os.write(fd, view) :]
