"""The interpreter of a session: it runs one block after another in one ``__main__``, so that variables live on.

Between blocks it obeys the server, by messages on a socket, each of which it answers with the same word:

- ``run``: read a block from a pipe, answer, run it, and send a `Report`.
- ``alone``: end every other process and thread. What is left is one process with one thread.
- ``checkpoint``: fork. The child has the same variables, and is stopped by the server until they are needed.

The child is the checkpoint, and the parent runs on. The other way round, each block would have another process number,
`random` would start anew in each, and the server would not be told how a block ended that was killed: a process is
waited for by its parent, which is PID 1 for the parent here, and for the child as soon as the parent has ended.

Everything here shares its memory with the blocks. They can change it, so the server believes none of the answers: it
looks at the processes that there are (`_session`).
"""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH123, PTH208

from __future__ import annotations

import _socket
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import NoReturn

from ._confinement import prefer_for_oom_kill, prefer_less_for_oom_kill
from ._execution import (
    FLUSH_FAILED,
    INTERRUPTED,
    become_clean,
    flush_files,
    flush_streams,
    identity,
    ignore_error,
    keep_lines,
    new_main,
    open_files,
    open_streams,
    read_all,
    run_source,
)
from ._plots import save_and_close_plots
from ._processes import Report

RUN, ALONE, CHECKPOINT = b"run", b"alone", b"checkpoint"
_INTERRUPTED_EXIT_CODE = 128 + signal.SIGINT
_MESSAGE_BYTES = 4096
_DESCRIPTORS = struct.Struct("3i")  # of a `run`: the source, stdout and stderr
_STANDARD = (0, 1, 2)
_SIGNALS = signal.valid_signals()
_TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)


def run_message(path: str, name: str, fds: Sequence[int]) -> tuple[list[bytes], list[tuple[int, int, bytes]]]:
    """The arguments of ``sendmsg`` for a block.

    Args:
        path: Of the file with its source.
        name: Of its source in tracebacks.
        fds: The source to read, and stdout and stderr to write to.
    """
    text = b"\0".join((RUN, path.encode(), name.encode()))
    return [text], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, _DESCRIPTORS.pack(*fds))]


def run_session(folder: str, of_server: Iterable[str], control_fd: int) -> NoReturn:
    """Do what the server says until it ends this process.

    Args:
        folder: The work folder, which is the current one.
        of_server: The names of the server's modules.
        control_fd: A socket that keeps messages apart.
    """
    _kept = become_clean(folder, of_server)  # as in `run_script`
    control = _socket.socket(fileno=control_fd)
    main = new_main("")
    # Between blocks no handler of theirs runs.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    while True:
        received, rights, _, _ = control.recvmsg(
            _MESSAGE_BYTES, _socket.CMSG_SPACE(_DESCRIPTORS.size), _socket.MSG_CMSG_CLOEXEC
        )
        command, *arguments = received.split(b"\0")
        if command == RUN:
            path, name = (argument.decode() for argument in arguments)
            source_fd, stdout, stderr = _DESCRIPTORS.unpack(rights[0][2])
            source = read_all(source_fd)
            _put_streams(stdout, stderr)
            _prepare_block(main, path, name, source)
            connected = identity(control_fd)
            open_before = {each for each in open_files() if each[0] <= control_fd}
            began = _Usage()
            _take_pending_signals()
            # As late as can be: where what a block has changed stops the interpreter before this, the block runs in a
            # new one.
            control.send(RUN)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            exit_code = _run_block(folder, main, name, source, open_before)
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
            _drop_streams()
            if identity(control_fd) != connected:  # the block has closed it, and may have another file there
                os._exit(exit_code)
            control.send(_Usage().report(began, exit_code).pack())
        elif command == ALONE:
            _be_alone()
            control.send(ALONE)
        elif command == CHECKPOINT:
            _fork_checkpoint(control)
        else:  # the end of the messages
            os._exit(0)


def _put_streams(stdout: int, stderr: int) -> None:
    for fd, number in ((stdout, 1), (stderr, 2)):
        os.dup2(fd, number)
        os.close(fd)
    open_streams()


def _drop_streams() -> None:
    """Have nothing behind the standard descriptors, so that what the next block is given has higher numbers."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in _STANDARD:
        os.dup2(nothing, number)
    if nothing not in _STANDARD:
        os.close(nothing)


def _prepare_block(main: ModuleType, path: str, name: str, source: bytes) -> None:
    sys.modules["__main__"] = main
    main.__dict__["__file__"] = path
    sys.argv = [path]
    keep_lines(name, source)  # always: a later block may fail in a function of this one
    with suppress(OSError):  # a kernel without it reports the largest memory since the first block
        _forget_peak()


def _take_pending_signals() -> None:
    """Take the signals that came when no block ran, such as that by which the server continues this process."""
    while signal.sigtimedwait(_SIGNALS, 0) is not None:
        pass


def _run_block(folder: str, main: ModuleType, name: str, source: bytes, open_before: set[tuple[int, int, int]]) -> int:
    """Run a block. Its error is printed, and what it has assigned before stays, as at Python's prompt."""
    process = os.getpid()
    exit_code = run_source([main], name, source)
    for timer in _TIMERS:  # which end with their block, as threads do
        signal.setitimer(timer, 0)
    sys.settrace(None)
    sys.setprofile(None)
    if exit_code == INTERRUPTED:
        exit_code = _INTERRUPTED_EXIT_CODE
    if os.getpid() != process:  # one that the block has forked, and that has not ended itself
        flush_streams()
        os._exit(exit_code)
    return _finish(folder, exit_code, open_before)


def _finish(folder: str, exit_code: int, open_before: set[tuple[int, int, int]]) -> int:
    """Do what belongs to the end of a block. Exit handlers are none of it: the program goes on."""
    ignore_error(_wait_for_threads)
    ignore_error(partial(save_and_close_plots, folder))
    is_flushed = flush_streams()
    # What a file buffers would else be written twice: by this process, and by the checkpoint if it runs the next block.
    ignore_error(partial(flush_files, open_before))
    return exit_code if is_flushed and flush_streams() else FLUSH_FAILED


def _wait_for_threads() -> None:
    """Wait for threads as at the end of a program, without ending `threading` and its pools for good."""
    threading = sys.modules.get("threading")
    if threading is None:
        return
    pools = sys.modules.get("concurrent.futures.thread")
    try:
        if pools is not None:  # as its own exit handler does: idle threads of a pool would wait for ever
            pools._shutdown = True  # type: ignore[attr-defined]  # noqa: SLF001
            for queue in list(pools._threads_queues.values()):  # noqa: SLF001
                queue.put(None)
        while others := [
            each for each in threading.enumerate() if not each.daemon and each is not threading.current_thread()
        ]:
            others[0].join()
    finally:
        if pools is not None:
            pools._shutdown = False  # type: ignore[attr-defined]  # noqa: SLF001


def _be_alone() -> None:
    """End every other process of the sandbox but PID 1, and every other thread.

    Done here, since the kernel spares the process that calls it: the server could end all, or one after the other,
    which loses the race with a process that forks.
    """
    if len(os.listdir("/proc/self/task")) > 1 and os.fork() > 0:  # a child has the one thread that forked it
        while True:
            signal.pause()
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    _wait_for_children()
    prefer_for_oom_kill()


def _wait_for_children() -> None:
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def _fork_checkpoint(control: _socket.socket) -> None:
    _wait_for_children()  # the checkpoint before, which is killed by now
    random = sys.modules.get("random")
    state = random.getstate() if random is not None else None
    if os.fork() == 0:
        if random is not None:  # which a fork seeds anew, while numpy's goes on
            random.setstate(state)
        prefer_less_for_oom_kill()
        control.send(CHECKPOINT)


class _Usage:
    """The time that this process and its children have taken, and their largest memory."""

    def __init__(self) -> None:
        own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        self._seconds = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
        self._peak, self._peak_of_children = own.ru_maxrss, children.ru_maxrss

    def report(self, before: _Usage, exit_code: int) -> Report:
        """What was used since then."""
        has_grown = self._peak_of_children > before._peak_of_children
        peak = max(self._peak, self._peak_of_children) if has_grown else self._peak
        return Report(exit_code, self._seconds - before._seconds, peak * 1024)


def _forget_peak() -> None:
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
