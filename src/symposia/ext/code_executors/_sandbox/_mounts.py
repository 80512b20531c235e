"""What code in a sandbox sees of the file system, as data: the two backends that build it themselves read it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from symposia.core.code_executor import SandboxMount, SandboxPolicy
from symposia.core.exceptions import InvalidArgumentError, SandboxUnavailableError
from symposia.ext.code_executors._sandbox._launcher import SANDBOX_UID
from symposia.ext.code_executors._sandbox._python import SandboxPython
from symposia.ext.code_executors._sandbox._settings import SCRATCH_FOLDERS, WORK_FOLDER

PYTHON_FOLDER = "/opt/symposia"
"""Where the virtual environment is inside. Docker images have theirs at the same place."""
MOVED_PREFIX = f"{PYTHON_FOLDER}/base"
"""Where an installation is inside that cannot be at its own place."""
_COVERED_FOLDERS = (WORK_FOLDER, *SCRATCH_FOLDERS, "/data", "/dev", "/proc", "/etc", "/.old", PYTHON_FOLDER)
_SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SYSTEM_FILES = (
    "/etc/ld.so.cache",  # where the loader finds libraries
    "/etc/alternatives",  # Debian's symbolic links from /usr/bin/awk and others to the real ones
)
_MADE_ANEW = frozenset({"bin", "pyvenv.cfg"})
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


@dataclass(frozen=True, slots=True)
class PlacedPython:
    """The interpreter as it is inside.

    Attributes:
        executable: What runs the blocks.
        environment: Variables that it needs.
        mounts: What has to be there for it.
    """

    executable: str
    environment: dict[str, str]
    mounts: tuple[Mount, ...]


def mount_plan(python: PlacedPython, policy: SandboxPolicy, mounts: Sequence[SandboxMount]) -> list[Mount]:
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
        *python.mounts,
        *(_readable(data_bind(mount)) for mount in mounts),
    ]


def place_python(python: SandboxPython) -> PlacedPython:
    """Decide where the interpreter and its environment are inside. Reads the file system.

    The environment is put together anew at a fixed place, rather than bound where it is: it may lie below ``/tmp``, or
    wherever else a sandbox has something of its own, and its ``bin/python`` may be a chain of links of the host. The
    installation stays where it is as long as nothing of the sandbox covers that place, since an interpreter that was
    built with shared libraries has its path written into it; a moved one is told by ``LD_LIBRARY_PATH``.

    Binding a covered installation into the sandbox's own ``/tmp`` was tried and rejected: a block owns that folder, so
    it could rename the parents of the mount, and no later block would find the interpreter.

    Raises:
        SandboxUnavailableError: The interpreter lies where it can neither stay nor be moved from.
    """
    prefix, interpreter = python.prefix.resolve(), python.interpreter.resolve()
    base: list[Mount] = []
    environment: dict[str, str] = {}
    inside = str(interpreter)
    if not _is_system(interpreter):
        if not interpreter.is_relative_to(prefix):
            raise SandboxUnavailableError(
                f"The Python that runs this program is {interpreter}, outside of its own installation {prefix}, and a "
                "sandbox cannot be given only parts of it. Use a Python whose program is below its prefix."
            )
        moved = _is_covered(prefix)
        place = MOVED_PREFIX if moved else str(prefix)
        inside = f"{place}/{interpreter.relative_to(prefix)}"
        base = [Bind(str(prefix), place)]
        if moved or prefix != python.prefix.absolute():
            environment["LD_LIBRARY_PATH"] = f"{place}/lib"
    if python.environment is None:
        return PlacedPython(inside, environment, tuple(base))
    return PlacedPython(
        f"{PYTHON_FOLDER}/bin/python", environment, (*_environment_mounts(python.environment, inside), *base)
    )


def _environment_mounts(environment: Path, interpreter: str) -> Iterator[Mount]:
    """A virtual environment of its own for `interpreter`, with everything of the host's but its programs."""
    yield MadeFile(f"home = {posixpath.dirname(interpreter)}\n", f"{PYTHON_FOLDER}/pyvenv.cfg")
    yield Link(interpreter, f"{PYTHON_FOLDER}/bin/python")
    for entry in sorted(environment.iterdir()):
        target = f"{PYTHON_FOLDER}/{entry.name}"
        if entry.name in _MADE_ANEW:
            continue
        yield Link(str(entry.readlink()), target) if entry.is_symlink() else Bind(str(entry.resolve()), target)


def _is_system(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in _SYSTEM_FOLDERS)


def _is_covered(path: Path) -> bool:
    """Whether something of the sandbox's own lies in `path`, or `path` in it."""
    return any(path.is_relative_to(folder) or Path(folder).is_relative_to(path) for folder in _COVERED_FOLDERS)


def as_json(plan: Sequence[Mount]) -> list[dict[str, object]]:
    """The plan as the launchers take it."""
    return [asdict(mount) for mount in plan]


def _system_folder(folder: Path) -> Mount:
    """On most systems /bin and its like are links into /usr."""
    return Link(str(folder.readlink()), str(folder)) if folder.is_symlink() else Bind(str(folder), str(folder))


def _readable(bind: Bind) -> Bind:
    """What root wants mounted, if the sandbox can read it: root gives each sandbox another user id than its own.

    Raises:
        InvalidArgumentError: It cannot.
    """
    if os.geteuid() != 0:
        return bind
    others = Path(bind.source).stat().st_mode & 0o005
    needed = 0o005 if Path(bind.source).is_dir() else 0o004
    if others & needed != needed:
        raise InvalidArgumentError(
            f"The sandbox's user, which is not root, cannot read {bind.source}. Let it: chmod -R o+rX {bind.source}"
        )
    return bind


def data_bind(mount: SandboxMount) -> Bind:
    """What the caller wants mounted, checked. Reads the file system.

    Raises:
        InvalidArgumentError: It does not exist, cannot be reached, or its target is not below ``/data``.
    """
    target = PurePosixPath(mount.target)
    if target.parts[:2] != ("/", "data") or ".." in target.parts or len(target.parts) <= len(("/", "data")):
        raise InvalidArgumentError(f"A sandbox sees files of the host below /data, not at {mount.target!r}.")
    try:
        source = mount.source.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before Python 3.13
        reason = "it does not exist" if isinstance(error, FileNotFoundError) else str(error)
        raise InvalidArgumentError(f"{mount.source} cannot be mounted into a sandbox: {reason}.") from error
    return Bind(str(source), str(target))
