"""The processes that own what is on the machine for a sandbox: containers, control groups, folders.

What a dead process has left is recognised by its owner, never by its age: a sandbox may serve for days. Numbers of
processes are used again, and mean something else in each PID namespace and on each machine. So an owner is named with
both, and where two processes could be meant, what is left stays.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Final


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # not Linux
        return ""


# Read when the module is imported, so that a name can be made on an event loop. A process keeps its namespace for life.
PID_NAMESPACE: Final = _pid_namespace()


def machine() -> str:
    """The machine, its boot and the PID namespace, within which a process number is meaningful. Reads a file."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = "unknown"
    return f"{platform.node()} {boot} {PID_NAMESPACE}".rstrip()


def this_process() -> str:
    """This process: its number and its start, which tells it from a later one of the same number. Reads a file."""
    return f"{os.getpid()} {_started(os.getpid())}"


def owner_pid(process: str) -> int | None:
    """The number in the text of `this_process`; None where it has none."""
    number = process.partition(" ")[0]
    return int(number) if number.isdigit() else None


def has_ended(process: str, where: str) -> bool:
    """Whether a process has ended. False for those of other machines.

    Args:
        process: As `this_process` named it.
        where: As `machine` named the place where it was started.
    """
    if where != machine():
        return False
    pid = owner_pid(process)
    return pid is None or _started(pid) != process.partition(" ")[2]


def _started(pid: int) -> str:
    """The start of a process in ticks since boot; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except OSError:
        return ""
