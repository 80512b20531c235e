from __future__ import annotations

import stat
from pathlib import Path

from symposia.core.code_executor import SandboxMount
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.code_executors._sandbox._mounts import Bind, data_bind
from symposia.ext.code_executors.docker._container import USER_ID


def readable_bind(mount: SandboxMount) -> Bind:
    """Check what the caller wants mounted, and that the container's user can read it. Looks at the file system.

    A container's user is not the caller, so a private file is out of its reach, which the code would only learn in the
    middle of its work.

    Raises:
        InvalidArgumentError: It does not exist, its target is not below ``/data``, or it cannot be read.
    """
    bind = data_bind(mount)
    if not _can_read(Path(bind.source)):
        raise InvalidArgumentError(
            f"{mount.source} cannot be read by user {USER_ID}, who runs the code in a container. Allow it with: "
            f"chmod -R o+rX {mount.source}"
        )
    return bind


def _can_read(path: Path) -> bool:
    """Decide as the kernel does: the owner's rights, else the group's, else everybody's."""
    found = path.stat()
    needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(found.st_mode) else 0)
    if found.st_uid == USER_ID:
        needed <<= 6
    elif found.st_gid == USER_ID:
        needed <<= 3
    return found.st_mode & needed == needed
