"""The processes in the sandbox beside the server: starting and ending them, and adding up their usage.

Process groups and sessions are no way to end a block, as any process can leave them. What no process can leave is its
PID namespace: there kill(-1) reaches all but PID 1, and a process that loses its parent becomes a child of PID 1, so
that waiting for children tells when all are gone.
"""

from __future__ import annotations

import os
import signal
import struct
from contextlib import suppress
from typing import NamedTuple, NoReturn

from ._confinement import limit_open_files, prefer_for_oom_kill

_EXEC_FAILED = 127
_PAGE, _TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
_PF_EXITING = (
    4  # of the flags in /proc/PID/stat (proc(5), linux/sched.h): set before memory is taken down, never cleared
)
_MOST_LOOKS = 100
_LONGEST, _LARGEST = 1e9, 2**53  # of what a block may say of itself: seconds and bytes


class Command(NamedTuple):
    """What to run: a program and its arguments, its environment and folder, and what it may have and has open."""

    arguments: list[str]
    environment: dict[str, str]
    folder: str
    open_files: int
    inherited: tuple[int, ...] = ()


class Started(NamedTuple):
    """The first process of a block, and where its output comes from.

    `report` gives a `Report` when an interpreter of the server's own is at its end; -1 for other programs.
    `shared_bytes` is the memory that the process had before the block, `earlier_seconds` the time that it had taken.
    """

    pid: int
    stdout: int
    stderr: int
    report: int = -1
    shared_bytes: int = 0
    earlier_seconds: float = 0.0


class Report(NamedTuple):
    """What an interpreter says of itself at the end of its block. It shares its memory with the block: it may lie."""

    exit_code: int
    cpu_seconds: float
    resident_bytes: int

    SHAPE = "=Bdq"

    def pack(self) -> bytes:
        """As bytes for a pipe."""
        return struct.pack(self.SHAPE, *self)

    @classmethod
    def unpack(cls, data: bytes) -> Report | None:
        """Read what `pack` wrote; None if it is anything else."""
        try:
            exit_code, cpu_seconds, resident_bytes = struct.unpack(cls.SHAPE, data)
        except struct.error:
            return None
        is_possible = 0 <= cpu_seconds < _LONGEST and 0 <= resident_bytes < _LARGEST
        return cls(exit_code, cpu_seconds, resident_bytes) if is_possible else None


class Usage(NamedTuple):
    """What ended processes used: the sum of their time, and the largest memory of one, less what the server lent it."""

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
        self._shared_bytes = 0
        self._earlier_seconds = 0.0
        self._taken_down = 0
        # Python writes the number of each signal into this pipe, for `select` to wake up by. A signal that comes while
        # the pipe is full is dropped, which is harmless: `reap` takes all that have ended, however many told of it.
        self.ended_fd, wakeup = os.pipe()
        os.set_blocking(self.ended_fd, False)
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def begin(self, started: Started) -> None:
        """Count for the block of that process from now on: reset `usage` and `first_status`."""
        self.usage = Usage()
        self.first_status = None
        self._first = started.pid
        self._shared_bytes = started.shared_bytes
        self._earlier_seconds = started.earlier_seconds

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
        self._taken_down = 0

    def end_reported(self, report: Report) -> bool:
        """End a block whose interpreter is at its end, without waiting for that, if nothing else is left of the block.

        The kernel takes milliseconds to take down the memory of a process that has imported pandas. Nothing of the
        block runs meanwhile: the only thread that there was has ended, or is about to be killed. `stop_all` waits for
        that, before anything else is started.

        Returns:
            Whether nothing else was left. If something was, nothing is done.
        """
        if not nothing_else_runs(self._first):
            return False
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        self.add(report)
        self._taken_down = self._first
        return True

    @property
    def is_taking_down(self) -> bool:
        """Whether the memory of a block that has ended by its report is still taken down, as far as `reap` knows."""
        return self._taken_down != 0

    def stop_all(self, most_bytes: int) -> None:
        """End everything, as `kill_all`, but let the kernel take down the memory of the last block meanwhile.

        That takes as long as a fork, which so begins earlier, on another processor. Once the kernel says of a process
        that it is exiting, it runs no instruction of its program any more. Kernels that never say so (gVisor) and
        processes that have no processor are waited for.

        Args:
            most_bytes: A block that had more memory is waited for. It counts for the limit until it is taken down, and
                the kernel would find nothing but the server to kill for it.
        """
        process = self._taken_down
        is_small = self.usage.peak_memory_bytes <= most_bytes
        if not process or not is_small or not any(_is_exiting(process) for _ in range(_MOST_LOOKS)):
            self.kill_all()

    def wait_until_gone(self) -> None:
        """Wait for what `stop_all` has left: it would count for the limits of the next block, and for its usage."""
        process, self._taken_down = self._taken_down, 0
        if process:
            with suppress(ChildProcessError):
                os.waitpid(process, 0)

    def add(self, report: Report) -> None:
        """Add to the usage what the first process says of itself, which goes on or is about to end."""
        seconds, peak = self.usage
        own_peak = report.resident_bytes - self._shared_bytes
        self.usage = Usage(seconds + report.cpu_seconds, max(peak, own_peak))

    def _reap_one(self, options: int) -> bool:
        try:
            pid, status, used = os.wait4(-1, options)
        except ChildProcessError:
            return False
        if pid == 0:
            return False
        if pid == self._taken_down:  # its usage is counted, by its report
            self._taken_down = 0
            return True
        seconds = used.ru_utime + used.ru_stime
        if pid == self._first:  # the rest may be very many
            self.first_status = status
            seconds = max(0.0, seconds - self._earlier_seconds)
        self.usage = Usage(
            self.usage.cpu_seconds + seconds,
            max(self.usage.peak_memory_bytes, used.ru_maxrss * 1024 - self._shared_bytes),
        )
        return True


def refuse_unless_pid_1() -> None:
    """Exit unless this is PID 1: anywhere else, `kill_all` would kill every process of the user."""
    if os.getpid() != 1:
        raise SystemExit("This program is for PID 1 of a sandbox and does nothing anywhere else.")


def nothing_else_runs(process: int) -> bool:
    """Whether a process with one thread is all that there is beside the server. It was forked when nothing was.

    The kernel gives each process and thread the next number, and none that is in use. So where the last number that it
    has given (proc(5), ``loadavg``) is that of the process, there was no other since. To list all takes five times as
    long.
    """
    with open("/proc/loadavg", "rb") as file:  # noqa: PTH123 - pathlib would be the largest part of the program
        last = file.read().rpartition(b" ")[2]
    return last.strip() == str(process).encode() or thread_counts() == {process: 1}


def thread_counts() -> dict[int, int]:
    """The number of threads of each process but the server."""
    counts: dict[int, int] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib would be the largest part of the program
        if name.isdigit() and name != "1":
            with suppress(OSError):  # it has ended by now, which `reap` will tell
                counts[int(name)] = len(os.listdir(f"/proc/{name}/task"))  # noqa: PTH208 - as above
    return counts


def state_and_seconds(process: int) -> tuple[str, float]:
    """The letter of a process's state (proc(5)), and the time that it and the children it waited for have taken."""
    with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123 - as above
        fields = file.read().rpartition(b")")[2].split()
    return fields[0].decode(), sum(map(int, fields[11:15])) / _TICKS


def _is_exiting(process: int) -> bool:
    """Whether a process has ended, or is past its last instruction. Where it is not, other processes may go first."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123 - as above
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return True
    if fields[0] in (b"Z", b"X") or int(fields[6]) & _PF_EXITING:
        return True
    os.sched_yield()
    return False


def resident_bytes(process: int | str) -> int:
    """The memory of a process."""
    with open(f"/proc/{process}/statm", "rb") as file:  # noqa: PTH123 - pathlib would be the largest part of the program
        return int(file.read().split()[1]) * _PAGE


def start_command(command: Command) -> Started:
    """Start a program as the first process of a block."""
    stdout, stdout_of_block = os.pipe()
    stderr, stderr_of_block = os.pipe()
    # Not posix_spawn, which can neither change the folder nor write oom_score_adj before the exec. A fork is safe here:
    # the server has one thread.
    pid = os.fork()
    if pid == 0:
        _become(command, stdout_of_block, stderr_of_block)
    os.close(stdout_of_block)
    os.close(stderr_of_block)
    # The kernel counts what a process had before an exec as its own: it is told beyond that.
    return Started(pid, stdout, stderr, shared_bytes=resident_bytes("self"))


def become_child(folder: str, stdout: int, stderr: int) -> None:
    """Make this forked process one of a block: in a session of its own, with the streams and signals of a program."""
    signal.set_wakeup_fd(-1)
    for taken in (signal.SIGINT, signal.SIGCHLD):
        signal.signal(taken, signal.SIG_DFL)
    os.setsid()
    os.chdir(folder)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for fd, number in ((nothing, 0), (stdout, 1), (stderr, 2)):
        os.dup2(fd, number)


def _become(command: Command, stdout: int, stderr: int) -> NoReturn:
    """Replace this forked child by the program. The exec closes all other descriptors."""
    try:
        become_child(command.folder, stdout, stderr)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, programs do not expect that
        for fd in command.inherited:
            os.set_inheritable(fd, True)
        prefer_for_oom_kill()
        limit_open_files(command.open_files)
        os.execve(command.arguments[0], command.arguments, command.environment)  # noqa: S606 - the point of it
    except BaseException as error:  # noqa: BLE001 - whatever it is, this process must not go on as a second server
        os.write(2, f"cannot start {command.arguments[0]}: {error}\n".encode())
    finally:
        os._exit(_EXEC_FAILED)
