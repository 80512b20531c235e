"""What code in a sandbox sees of the file system, as data: an allow-list, from which the launchers build the root.

What is not in the plan is not there. The other way round, the host's root with folders taken away, would have to name
every place where a machine may keep a secret.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from symposia.core.code_executor import SandboxMount, SandboxPolicy
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.code_executors._sandbox._launcher import SANDBOX_UID
from symposia.ext.code_executors._sandbox._program import SCRATCH_FOLDERS, WORK_FOLDER

PYTHON_FOLDER = "/opt/symposia"
"""Where the virtual environment is inside. Docker images have theirs at the same place."""
OWN_FOLDERS = (WORK_FOLDER, *SCRATCH_FOLDERS, "/data", "/dev", "/proc", "/etc", "/.old", PYTHON_FOLDER)
"""Where a sandbox has something of its own, so that nothing of the host can be at the same place."""
SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SYSTEM_PREFIXES = ("/usr", "/usr/local")
_PACKAGES = ("lib*/python3*/site-packages", "lib*/python3*/dist-packages")
NO_FILES_OF_ITS_OWN = -1
"""A user id that owns nothing on the host, as that of each sandbox that root starts."""
_SYSTEM_FILES = (
    "/etc/ld.so.cache",  # where the loader finds libraries
    "/etc/alternatives",  # Debian's symbolic links from /usr/bin/awk and others to the real ones
)
# The host's /etc stays out: accounts, keys and the addresses of its network. What programs look up there at all events
# is made anew. There is no /etc/resolv.conf, since there is no network.
_TEXT_FILES = {
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
class Data:
    """A file or folder of the host, seen read-only and without its inodes: no locks, sockets or FIFOs are shared."""

    source: str
    target: str
    kind: Literal["data"] = "data"


@dataclass(frozen=True, slots=True)
class Empty:
    """An empty folder in the place of one that a `Bind` brought along."""

    target: str
    kind: Literal["empty"] = "empty"


@dataclass(frozen=True, slots=True)
class Symlink:
    """A symbolic link."""

    source: str
    target: str
    kind: Literal["symlink"] = "symlink"


@dataclass(frozen=True, slots=True)
class TextFile:
    """A small file that exists only inside."""

    text: str
    target: str
    kind: Literal["file"] = "file"


@dataclass(frozen=True, slots=True)
class Tmpfs:
    """A folder in memory that code can write, of limited size.

    A tmpfs, since that is the one file system with a limit of bytes and of files that an ordinary user can mount, and
    that is gone with the sandbox. Quotas of the host's file systems need root, and a setting for each of them.
    """

    target: str
    size: int
    inodes: int
    kind: Literal["tmpfs"] = "tmpfs"


Mount = Bind | Data | Empty | Symlink | TextFile | Tmpfs


def mount_plan(python: Sequence[Mount], policy: SandboxPolicy, data: Sequence[SandboxMount]) -> list[Mount]:
    """The root file system, without /proc and /dev; the root itself is read-only. Reads the file system.

    Args:
        python: The files that the interpreter needs.
        policy: Says how large the folders are that can be written.
        data: Files of the host.

    Raises:
        InvalidArgumentError: A mount does not exist or cannot be read, or is where the interpreter is.
    """
    for mount in data:
        _refuse_place_of_python(mount, python)
    writable = [(WORK_FOLDER, policy.work_bytes), *((folder, policy.tmp_bytes) for folder in SCRATCH_FOLDERS)]
    reader = NO_FILES_OF_ITS_OWN if os.geteuid() == 0 else None  # root gives each sandbox a user id of its own
    return [
        *(_system_folder(Path(folder)) for folder in SYSTEM_FOLDERS if Path(folder).exists()),
        *(hidden for prefix in _SYSTEM_PREFIXES for hidden in hidden_packages(Path(prefix), prefix)),
        *(Bind(file, file) for file in _SYSTEM_FILES if Path(file).exists()),
        *(TextFile(text, target) for target, text in _TEXT_FILES.items()),
        *(Tmpfs(target, size, policy.work_inodes) for target, size in writable),
        *python,
        *(data_bind(mount, reader=reader) for mount in data),
    ]


def _refuse_place_of_python(mount: SandboxMount, python: Sequence[Mount]) -> None:
    """The interpreter may be anywhere on the host, and is at the same place inside."""
    target = PurePosixPath(mount.target)
    for entry in python:
        if target.is_relative_to(entry.target) or PurePosixPath(entry.target).is_relative_to(target):
            raise InvalidArgumentError(
                f"{mount.source} cannot be at {target} in the sandbox, whose Python is in {entry.target}. Give another "
                f"place, such as '/data/{target.name}'."
            )


def as_json(plan: Sequence[Mount]) -> list[dict[str, object]]:
    """The plan as the launchers take it."""
    return [asdict(mount) for mount in plan]


def data_bind(mount: SandboxMount, *, reader: int | None = None) -> Data:
    """Check a mount of the caller. Reads the file system.

    Code that cannot read its data would learn of it in the middle of its work, so this is an error at the start.

    Args:
        mount: The mount.
        reader: The user id that code in the sandbox has on the host; None where it is the caller's own.

    Raises:
        InvalidArgumentError: It does not exist or cannot be read.
    """
    try:
        source = mount.source.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before Python 3.13
        reason = "it does not exist" if isinstance(error, FileNotFoundError) else str(error)
        raise InvalidArgumentError(f"{mount.source} cannot be mounted into a sandbox: {reason}.") from error
    if reader is not None and not _can_read(source, reader):
        raise InvalidArgumentError(
            f"{mount.source} cannot be read by the sandbox's user, who is not its owner. Allow it with: "
            f"chmod -R o+rX {mount.source}"
        )
    return Data(str(source), str(PurePosixPath(mount.target)))


def _can_read(path: Path, user: int) -> bool:
    """Decide as the kernel does: by the mode of the owner, else of the group, else of others."""
    found = path.stat()
    needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(found.st_mode) else 0)
    if found.st_uid == user:
        needed <<= 6
    elif found.st_gid == user:  # the group of a sandbox's user has the same number
        needed <<= 3
    return found.st_mode & needed == needed


def hidden_packages(prefix: Path, place: str) -> list[Empty]:
    """The folders of packages below an installation of Python: what the user has installed is not the sandbox's.

    Args:
        prefix: The installation on the host.
        place: Where it is inside.
    """
    found = (folder for pattern in _PACKAGES for folder in prefix.glob(pattern) if not folder.is_symlink())
    return [Empty(f"{place}/{folder.relative_to(prefix)}") for folder in found]


def _system_folder(folder: Path) -> Mount:
    """On most systems /bin and its like are links into /usr."""
    return Symlink(str(folder.readlink()), str(folder)) if folder.is_symlink() else Bind(str(folder), str(folder))
