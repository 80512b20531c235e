"""The processes in the sandbox beside the server: starting and ending them, and adding up their usage.

Process groups and sessions are no way to end a block, as any process can leave them. What no process can leave is its
PID namespace: there kill(-1) reaches all but PID 1, and a process that loses its parent becomes a child of PID 1, so
that waiting for children tells when all are gone.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import NamedTuple, NoReturn

from ._confinement import prefer_for_oom_kill

_EXEC_FAILED = 127


class Command(NamedTuple):
    """What to run: the program and its arguments, its environment and its folder."""

    arguments: list[str]
    environment: dict[str, str]
    folder: str


class Usage(NamedTuple):
    """What ended processes used: the sum of their time, and the largest memory of one."""

    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0


class Processes:
    """All processes but the server. As PID 1 it inherits every orphan, so none escapes the count or the kill.

    Made once, since it takes over SIGCHLD: `ended_fd` becomes readable whenever something has ended.
    """

    def __init__(self) -> None:
        refuse_unless_pid_1()
        self.usage = Usage()
        self.first_status: int | None = None
        self._first = 0
        # Python writes the number of each signal into this pipe, for `select` to wake up by. A signal that comes while
        # the pipe is full is dropped, which is harmless: `reap` takes all that have ended, however many told of it.
        self.ended_fd, wakeup = os.pipe()
        os.set_blocking(self.ended_fd, False)
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def start(self, command: Command, stdout: int, stderr: int) -> None:
        """Start the first process of a block, and reset `usage` and `first_status`."""
        self.usage = Usage()
        self.first_status = None
        # Not posix_spawn, which can neither change the folder nor write oom_score_adj before the exec. A fork is safe
        # here: the server has one thread.
        self._first = os.fork()
        if self._first == 0:
            _become(command, stdout, stderr)

    def reap(self) -> None:
        """Reap all processes that have ended, and add up their usage."""
        with suppress(BlockingIOError):
            os.read(self.ended_fd, 4096)
        while self._reap_one(os.WNOHANG):
            pass

    def kill_all(self) -> None:
        """End everything: daemons, other process groups and what a fork bomb left too. Returns when no process is left.

        Going through /proc and killing one after the other would lose the race with a process that forks. The kernel
        holds the list of processes while it sends to -1, and a process with a pending SIGKILL forks no more, so once is
        enough. A process that the kernel cannot interrupt (a stuck device) is waited for; the host has its own
        deadline.
        """
        refuse_unless_pid_1()
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        while self._reap_one(0):
            pass

    def _reap_one(self, options: int) -> bool:
        try:
            pid, status, used = os.wait4(-1, options)
        except ChildProcessError:
            return False
        if pid == 0:
            return False
        if pid == self._first:  # the rest may be very many
            self.first_status = status
        self.usage = Usage(
            self.usage.cpu_seconds + used.ru_utime + used.ru_stime,
            max(self.usage.peak_memory_bytes, used.ru_maxrss * 1024),
        )
        return True


def refuse_unless_pid_1() -> None:
    """Exit unless this is PID 1: anywhere else, `kill_all` would kill every process of the user."""
    if os.getpid() != 1:
        raise SystemExit("This program is for PID 1 of a sandbox and does nothing anywhere else.")


def _become(command: Command, stdout: int, stderr: int) -> NoReturn:
    """Replace this forked child by the block. The exec closes all other descriptors."""
    try:
        signal.set_wakeup_fd(-1)
        for ignored in (signal.SIGINT, signal.SIGPIPE):  # Python's and the server's way, not a block's
            signal.signal(ignored, signal.SIG_DFL)
        os.setsid()
        prefer_for_oom_kill()
        os.chdir(command.folder)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for fd, number in ((nothing, 0), (stdout, 1), (stderr, 2)):
            os.dup2(fd, number)
        os.execve(command.arguments[0], command.arguments, command.environment)  # noqa: S606 - the point of it
    except BaseException as error:  # noqa: BLE001 - whatever it is, this process must not go on as a second server
        os.write(2, f"cannot start {command.arguments[0]}: {error}\n".encode())
    finally:
        os._exit(_EXEC_FAILED)
