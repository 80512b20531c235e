"""Stays beside a sandbox until it is gone: ends it when the host has gone, and takes its groups away.

The end of stdin tells that the host has gone, whatever ended it. The kernel's signal at the death of a parent
(PR_SET_PDEATHSIG) is no substitute: it is sent when the *thread* that started the launcher ends, which in the host
may be one of a pool, and the kernel forgets it when the user id changes. A process outside of the sandbox is needed
at all because control groups can only be removed once they are empty.
"""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH123

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NoReturn

from . import MEMORY_RAN_OUT
from ._cgroups import Groups
from ._kernel import adopt_orphans

_FAILED = 1
_EXITING = 0x4
_END_MILLISECONDS = 100  # the server ends by itself, as it reads the same stdin; this is for one that does not
_KILLED = (signal.SIGKILL, (128 + signal.SIGKILL) << 8)  # wait statuses: of a process, and as bubblewrap passes it on


def launch(main: Callable[[Mapping[str, object]], NoReturn], request: Mapping[str, object]) -> NoReturn:
    """Run a launcher. If it fails, print the reason in one line."""
    try:
        main(request)
    except OSError as error:
        os.write(2, f"{error.strerror or error}\n".encode())
        os._exit(_FAILED)


def keep(become_sandbox: Callable[[], object], groups: Groups) -> NoReturn:
    """Run a sandbox in a child process, and end when it has ended, or end it when stdin has.

    Args:
        become_sandbox: Called in the child; does not return, or has failed.
        groups: Joined by the child first, and removed when nothing is left in them.
    """
    # Between the keeper and the server there may be a `bwrap`. When that one ends first, its child is the keeper's to
    # wait for: the groups can be removed only when all of their processes are gone and have been waited for.
    adopt_orphans()
    child_ended = _wakeup_fd()
    child = os.fork()
    if child == 0:
        _try(become_sandbox, groups)
    os.close(1)  # the sandbox's: the host sees its end when the sandbox has closed it
    status = _wait_for_end(child, child_ended)
    if status in _KILLED and groups.memory_ran_out():
        os.write(2, f"{MEMORY_RAN_OUT}\n".encode())
    # One signal is enough: the child is PID 1 of the sandbox, with which the kernel kills all of its PID namespace
    # (pid_namespaces(7)), or it is `bwrap`, whose PID 1 dies with it. Killing by control group or by user id was
    # rejected: not every machine gives the sandbox one of its own.
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.wait()
    groups.remove()
    os._exit(0)


def _wait_for_end(child: int, child_ended: int) -> int | None:
    """Wait until the child has ended, or for a while after the host has closed stdin. Return its status.

    None where it is only now to be killed. Where it is being taken down already, for longer than that, it was killed.
    """
    events = select.poll()
    events.register(0, 0)  # never read here, as the bytes are the server's; a hang-up is always reported (poll(2))
    events.register(child_ended, select.POLLIN)
    timeout, was_ending = None, False
    while True:
        ready = dict(events.poll(timeout))
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        if not ready:
            return signal.SIGKILL if was_ending else None
        if 0 in ready:  # the server has seen it too, and ends by itself
            events.unregister(0)
            was_ending = any(map(is_ending, [child, *_children_of(child)]))
            timeout = _END_MILLISECONDS
        if child_ended in ready:
            os.read(child_ended, 1)  # it was an orphan


def is_ending(pid: int) -> bool:
    """Whether the kernel is taking a process down (PF_EXITING among the flags in its ``stat``, proc(5)), or has.

    A process that is killed closes its streams, upon which the host closes its own, some time before it is gone.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return bool(int(file.read().rpartition(b")")[2].split()[6]) & _EXITING)
    except OSError:
        return True


def _children_of(pid: int) -> list[int]:
    """Of `bwrap`, the server."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:  # it has none, or the kernel does not tell
        return []


def _wakeup_fd() -> int:
    """A descriptor that becomes readable when a child ends.

    A pidfd would tell of one child only, and orphans have to be waited for too, as they come.
    """
    readable, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    return readable


def _try(become_sandbox: Callable[[], object], groups: Groups) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        groups.join()
        become_sandbox()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the child must not become a second keeper
        os.write(2, f"{getattr(error, 'strerror', None) or error}\n".encode())
    finally:
        os._exit(_FAILED)
