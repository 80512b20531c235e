"""Mounted data of the host in a container, through inodes that are not the host's: see `_sandbox._launcher._data`.

A folder is an anonymous volume of the engine's own ``local`` driver, whose options make it an overlay of the folder;
the engine removes it with the container. A file is copied, since a volume is always a folder. Where the engine cannot
mount an overlay (another machine's files, a rootless engine on an old kernel), data is bound as it is, unless it holds
a socket or a FIFO.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.code_executors._environment import make_cache_folder
from symposia.ext.code_executors._owners import owned_prefix
from symposia.ext.code_executors._sandbox._launcher._data import refuse_sockets
from symposia.ext.code_executors._sandbox._mounts import Data

MOST_COPIED_BYTES: Final = 256 * 1024 * 1024
_NOT_IN_OPTIONS: Final = frozenset(",:\\\"'\n")
Mount = Mapping[str, object]


class PrivateData(NamedTuple):
    """Mounts in the engine API's JSON, and the folder that they need until the container has started."""

    mounts: list[Mount]
    folder: Path

    def remove(self) -> None:
        """Remove the folder. What is mounted stays as long as it is."""
        shutil.rmtree(self.folder, ignore_errors=True)


def private_data(data: Sequence[Data]) -> PrivateData:
    """Mounts that share no inode with the host. Copies files, and blocks.

    Raises:
        SandboxUnavailableError: The cache folder cannot be written.
    """
    folder = Path(tempfile.mkdtemp(prefix=owned_prefix("data")))
    folder.chmod(0o755)  # the engine looks through it as root, or as a user of its own
    # The kernel wants a second layer, and shows nothing at all once that is removed: so one that stays.
    empty = make_cache_folder("empty").absolute()
    return PrivateData([_private(Path(entry.source), entry.target, folder, empty) for entry in data], folder)


def shared_data(data: Sequence[Data]) -> list[Mount]:
    """Mounts of the data as it is.

    Raises:
        InvalidArgumentError: It holds a socket or a FIFO, through which code could talk to programs of the host.
    """
    for entry in data:
        try:
            refuse_sockets(entry.source)
        except OSError as error:
            raise InvalidArgumentError(f"{entry.source} cannot be mounted into a sandbox: {error.strerror}.") from error
    return [_bound(entry.source, entry.target) for entry in data]


def _private(source: Path, target: str, folder: Path, empty: Path) -> Mount:
    if _NOT_IN_OPTIONS.intersection(f"{source}{empty}"):
        return shared_data([Data(str(source), target)])[0]
    if source.is_dir():
        return _overlay(source, target, empty)
    if source.stat().st_size > MOST_COPIED_BYTES:
        return _bound(str(source), target)
    copy = Path(tempfile.mkdtemp(dir=folder)) / "file"
    copy.parent.chmod(0o755)
    shutil.copyfile(source, copy)
    copy.chmod(0o644)
    return _bound(str(copy), target)


def _overlay(source: Path, target: str, empty: Path) -> Mount:
    # No "ReadOnly", which an anonymous volume must not have: an overlay without an upper layer cannot be written.
    options = {"type": "overlay", "device": "overlay", "o": f"ro,nosuid,nodev,lowerdir={source}:{empty}"}
    driver = {"Name": "local", "Options": options}
    return {"Type": "volume", "Target": target, "VolumeOptions": {"NoCopy": True, "DriverConfig": driver}}


def _bound(source: str, target: str) -> Mount:
    return {
        "Type": "bind",
        "Source": source,
        "Target": target,
        "ReadOnly": True,
        # Without what is mounted below: before Docker 25, only the topmost mount would be read-only. Private: what the
        # host mounts there later does not appear inside.
        "BindOptions": {"Propagation": "rprivate", "NonRecursive": True},
    }
