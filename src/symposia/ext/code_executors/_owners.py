"""The processes that own what is on the machine for a sandbox: containers, control groups, folders.

What a dead process has left is recognised by its owner, never by its age: a sandbox may serve for days. Numbers of
processes are used again, and mean something else in each PID namespace and on each machine. So an owner is named with
both, and where two processes could be meant, what is left stays.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final
from uuid import uuid4

from symposia.ext.code_executors._environment import folder_variable


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # not Linux
        return ""


# Read when the module is imported, so that a name can be made on an event loop. A process keeps its namespace for life.
_PID_NAMESPACE: Final = _pid_namespace()
_SPACE: Final = f"{zlib.crc32(f'{platform.node()} {_PID_NAMESPACE}'.encode()):08x}"
RESULTS: Final = "results"
"""The content of a folder that stays after its process, unless it is empty: results name files in it."""
_FOLDER: Final = re.compile(r"symposia-(?P<content>[a-z]+)-(?P<space>[0-9a-f]{8})-(?P<pid>[0-9]+)-\w+")


def machine() -> str:
    """The machine, its boot and the PID namespace, within which a process number is meaningful. Reads a file."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = "unknown"
    return f"{platform.node()} {boot} {_PID_NAMESPACE}".rstrip()


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


def owned_prefix(content: str) -> str:
    """The beginning of the name of a temporary folder of this process.

    Args:
        content: What is in it, in small letters.
    """
    return f"symposia-{content}-{_SPACE}-{os.getpid()}-"


def owned_folder(content: str = "work") -> Path:
    """A folder that is removed after its process; not made yet, and with a name that cannot be guessed.

    Args:
        content: As for `owned_prefix`. One of `RESULTS` is removed only if it is empty.
    """
    temporary = folder_variable("TMPDIR") or Path("/tmp")  # noqa: S108 - the name in it is not guessable
    return temporary / f"{owned_prefix(content)}{uuid4().hex}"


@cache
def remove_left_over_folders_once() -> None:
    """Remove what dead processes left, at the first call of this process: to list a temporary folder takes time."""
    remove_left_over_folders()


def remove_left_over_folders() -> list[Path]:
    """Remove the temporary folders of this user's processes that have ended; return them. Blocks."""
    if sys.platform == "win32":  # there is no way to ask for a process without the right to end it
        return []
    parents = {folder_variable("TMPDIR") or Path("/tmp"), Path(tempfile.gettempdir())}  # noqa: S108 - as `owned_folder`
    removed: list[Path] = []
    for folder in sorted(folder for parent in parents if parent.is_dir() for folder in parent.iterdir()):
        if (content := _left_over_content(folder)) is None:
            continue
        if content == RESULTS:
            with suppress(OSError):  # there are results in it, or another process was faster
                folder.rmdir()
        else:
            shutil.rmtree(folder, ignore_errors=True)  # follows no link
        removed += [] if folder.exists() else [folder]
    return removed


def _left_over_content(folder: Path) -> str | None:
    """What is in a folder of this user's process that has ended; None for other folders."""
    named = _FOLDER.fullmatch(folder.name)
    if named is None or named["space"] != _SPACE or _runs(int(named["pid"])):
        return None
    with suppress(OSError):  # removed meanwhile
        if not folder.is_symlink() and folder.is_dir() and folder.stat().st_uid == os.geteuid():
            return named["content"]
    return None


def _runs(pid: int) -> bool:
    """Whether there is a process of this number, the owner or a later one."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _started(pid: int) -> str:
    """The start of a process in ticks since boot; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except OSError:
        return ""
