"""The confinement of the server, and so of every block, once it needs no privilege any more.

The limits, Landlock's rules and the filter are inherited by fork and exec, and cannot be lifted again. They are put on
by the server rather than by what starts it, so that they are the same in every kind of sandbox, and on the server as
well as on the blocks: a server that was taken over could do no more than they.

RLIMIT_AS, RLIMIT_DATA and RLIMIT_CPU are not set: they hold for each process alone, so a block would get around them by
forking, and the first two would stop programs that reserve much more than they use.
"""

from __future__ import annotations

import ctypes
import os
import resource

from ._channel import Settings
from ._landlock import restrict

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2
_INSTRUCTION_BYTES = 8
_WORST, _BAD = b"1000", b"500"  # of an oom_score_adj

# Counted for each user, and an ordinary user's sandboxes share theirs with the host: without limits of their own,
# blocks could use up what the user's other programs need.
_QUEUED_SIGNALS = 256
_LOCKED_BYTES = 64 * 1024  # as kernels before 5.16 allow

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    """``struct sock_fprog``: how many instructions, and where."""

    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def confine_server(settings: Settings, seccomp: bytes) -> int:
    """Protect the server from the blocks, and give up privileges that it could still gain.

    Returns:
        The version of Landlock that holds; 0 where the kernel has none.
    """
    prctl(_PR_SET_DUMPABLE, 0)  # no ptrace, and nothing to read in /proc/1
    prctl(_PR_SET_NO_NEW_PRIVS, 1)  # without it, only root may install a filter (seccomp(2))
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_SIGPENDING, _QUEUED_SIGNALS)
    _limit(resource.RLIMIT_MEMLOCK, _LOCKED_BYTES)
    _limit(resource.RLIMIT_MSGQUEUE, 0)
    for scheduling in (resource.RLIMIT_RTPRIO, resource.RLIMIT_NICE):  # a user may have been given real-time priority
        _limit(scheduling, 0)
    _limit(resource.RLIMIT_FSIZE, settings.file_bytes)
    _limit(resource.RLIMIT_NOFILE, settings.server_open_files)
    if settings.processes:
        _limit(resource.RLIMIT_NPROC, settings.processes)
    landlock = restrict((settings.work_folder, *settings.scratch_folders), settings.proxy_port)
    # Last, though the filter would allow the calls above: from here on nothing has to be allowed for the server's sake.
    if seccomp:
        program = _Program(len(seccomp) // _INSTRUCTION_BYTES, seccomp)
        prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program))
    return landlock


def limit_open_files(most: int) -> None:
    """Lower the limit of this process's own open files, from the server's to that of a block."""
    _limit(resource.RLIMIT_NOFILE, most)


def prefer_for_oom_kill() -> None:
    """Make the kernel kill this process, rather than the server, when memory runs out.

    Raising the score takes no privilege. A block may lower it again as far as the server's; then the larger of the two
    goes, which is the block that ran out of memory. Where it is the server after all, the sandbox ends, and the host
    reports that.
    """
    prctl(_PR_SET_DUMPABLE, 1)  # inherited from the server; without it the file belongs to root
    _set_oom_score(_WORST)


def prefer_less_for_oom_kill() -> None:
    """Make the kernel kill this process rather than the server, and any block rather than this process."""
    _set_oom_score(_BAD)


def _set_oom_score(score: bytes) -> None:
    file = os.open("/proc/self/oom_score_adj", os.O_WRONLY)  # Python's own `open` would copy forty pages of the server
    os.write(file, score)
    os.close(file)


def die_with_parent() -> None:
    """Have this process killed when its parent ends. A change of the user id cancels this (prctl(2))."""
    prctl(_PR_SET_PDEATHSIG, 9)


def prctl(option: int, *arguments: object) -> None:
    """Change an attribute of this process, as the manual page of prctl describes.

    Raises:
        OSError: It failed.
    """
    padded = (*arguments, *([0] * (4 - len(arguments))))
    if _libc.prctl(option, *(ctypes.c_ulong(value) if isinstance(value, int) else value for value in padded)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def _limit(kind: int, value: int) -> None:
    """Set a limit, or keep a lower one: only privileged processes may raise it."""
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))
