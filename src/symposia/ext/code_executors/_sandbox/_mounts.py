"""What code in a sandbox sees of the file system, as data: the two backends that build it themselves read it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from symposia.core.code_executor import SandboxMount, SandboxPolicy
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.code_executors._sandbox._launcher import SANDBOX_UID
from symposia.ext.code_executors._sandbox._python import SandboxPython
from symposia.ext.code_executors._sandbox._settings import SCRATCH_FOLDERS, WORK_FOLDER

_COVERED_FOLDERS = (WORK_FOLDER, *SCRATCH_FOLDERS, "/data", "/dev", "/proc")
_SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SYSTEM_FILES = (
    "/etc/ld.so.cache",  # where the loader finds libraries
    "/etc/alternatives",  # Debian's symbolic links from /usr/bin/awk and others to the real ones
)
_MADE_FILES = {
    "/etc/passwd": f"sandbox:x:{SANDBOX_UID}:{SANDBOX_UID}::{SCRATCH_FOLDERS[0]}:/bin/sh\n",
    "/etc/group": f"sandbox:x:{SANDBOX_UID}:\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
}


@dataclass(frozen=True, slots=True)
class Bind:
    """A file or folder of the host, seen read-only."""

    source: str
    target: str
    kind: Literal["bind"] = "bind"


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link."""

    source: str
    target: str
    kind: Literal["link"] = "link"


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A small file that exists only inside."""

    text: str
    target: str
    kind: Literal["file"] = "file"


@dataclass(frozen=True, slots=True)
class Space:
    """A folder in memory that code can write, of limited size."""

    target: str
    size: int
    inodes: int
    kind: Literal["space"] = "space"


Mount = Bind | Link | MadeFile | Space


def mount_plan(python: SandboxPython, policy: SandboxPolicy, mounts: Sequence[SandboxMount]) -> list[Mount]:
    """The root file system, without /proc and /dev; the root itself is read-only. Reads the file system.

    Raises:
        InvalidArgumentError: A mount does not exist, or its target is not below ``/data``.
    """
    spaces = [(WORK_FOLDER, policy.work_bytes), *((folder, policy.tmp_bytes) for folder in SCRATCH_FOLDERS)]
    return [
        *(_system_folder(Path(folder)) for folder in _SYSTEM_FOLDERS if Path(folder).exists()),
        *(Bind(file, file) for file in _SYSTEM_FILES if Path(file).exists()),
        *(MadeFile(text, target) for target, text in _MADE_FILES.items()),
        *(Space(target, size, policy.work_inodes) for target, size in spaces),
        *_python_binds(python),
        *(_readable(data_bind(mount)) for mount in mounts),
    ]


def as_json(plan: Sequence[Mount]) -> list[dict[str, object]]:
    """The plan as the launchers take it."""
    return [asdict(mount) for mount in plan]


def _system_folder(folder: Path) -> Mount:
    """On most systems /bin and its like are links into /usr."""
    return Link(str(folder.readlink()), str(folder)) if folder.is_symlink() else Bind(str(folder), str(folder))


def _python_binds(python: SandboxPython) -> list[Bind]:
    """The interpreter's folders that are not in a system folder anyway."""
    outside = [path.absolute() for path in python.read_only_paths if not path.absolute().is_relative_to("/usr")]
    for path in outside:
        hidden = next((folder for folder in _COVERED_FOLDERS if path.is_relative_to(folder)), None)
        if hidden is not None:
            raise InvalidArgumentError(
                f"The sandbox's Python needs {path}, but {hidden} is another one inside: move it."
            )
    return [Bind(str(path), str(path)) for path in outside]


def _readable(bind: Bind) -> Bind:
    """What root wants mounted, if the sandbox can read it: root gives each sandbox another user id than its own.

    Raises:
        InvalidArgumentError: It cannot.
    """
    others = Path(bind.source).stat().st_mode & 0o005
    needed = 0o005 if Path(bind.source).is_dir() else 0o004
    if os.geteuid() == 0 and others & needed != needed:
        raise InvalidArgumentError(
            f"The sandbox's user, which is not root, cannot read {bind.source}. Let it: chmod -R o+rX {bind.source}"
        )
    return bind


def data_bind(mount: SandboxMount) -> Bind:
    """What the caller wants mounted, checked. Reads the file system.

    Raises:
        InvalidArgumentError: It does not exist, or its target is not below ``/data``.
    """
    target = PurePosixPath(mount.target)
    if target.parts[:2] != ("/", "data") or ".." in target.parts or len(target.parts) <= len(("/", "data")):
        raise InvalidArgumentError(f"A sandbox sees files of the host below /data, not at {mount.target!r}.")
    if not mount.source.exists():
        raise InvalidArgumentError(f"{mount.source} cannot be mounted into a sandbox: it does not exist.")
    return Bind(str(mount.source.resolve()), str(target))
