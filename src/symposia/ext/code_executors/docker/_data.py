"""Mounted data of the host in a container, through inodes that are not the host's: see `_sandbox._launcher._data`.

A folder is an anonymous volume of the engine's own ``local`` driver, whose options make it an overlay of the folder;
the engine removes it with the container. A file is copied, since a volume is always a folder. Where the engine cannot
mount an overlay (a rootless engine on an old kernel), data is bound as it is, unless it holds a socket or a FIFO.

An engine with files of its own, on another machine or outside the container of this process, would bind what it has at
the same path. For it the data is copied into an anonymous volume before the container starts. The files there belong to
root, and code runs as an ordinary user: a volume that is mounted read-only cannot be copied into.
"""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Final

from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.code_executors._environment import make_cache_folder
from symposia.ext.code_executors._sandbox._launcher._data import refuse_sockets
from symposia.ext.code_executors._sandbox._mounts import Data
from symposia.ext.code_executors.docker._engine import EngineClient

CLOSED_FOLDER: Final = "/root"
"""The folder of a stock Python image that an ordinary user may not enter, and could want to have data in."""
MOST_COPIED_BYTES: Final = 256 * 1024 * 1024
DATA_FOLDER: Final = "/data"
TOO_MUCH_TO_COPY: Final = (
    "The mounted data is more than {size} MiB, which is not copied to a Docker engine on another machine. Mount a part "
    "of it, put it in an image of your own there, or use the engine of the machine that has the data."
)
ONLY_FOLDERS: Final = (
    "{source} cannot be at {target} in a container of this Docker engine, which does not see this machine's files: "
    f"only a folder can be copied there. Give the file a place below {DATA_FOLDER}."
)
_NOT_IN_OPTIONS: Final = frozenset(",:\\\"'\n")
Mount = Mapping[str, object]


def private_mounts(data: Sequence[Data], folder: Path) -> list[Mount]:
    """Mounts that share no inode with the host. Copies files, and blocks.

    Args:
        data: What is mounted.
        folder: An empty folder for the copies, which is needed until the container has started.

    Raises:
        SandboxUnavailableError: The cache folder cannot be written.
    """
    folder.chmod(0o755)  # the engine looks through it as root, or as a user of its own
    # The kernel wants a second layer, and shows nothing at all once that is removed: so one that stays.
    empty = make_cache_folder("empty").absolute()
    return [_private(Path(entry.source), entry.target, folder, empty) for entry in data]


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


def is_in_container() -> bool:
    """Whether this process is in a container of Docker or Podman. The engine may be in it, too, or outside."""
    return any(Path(sign).exists() for sign in ("/.dockerenv", "/run/.containerenv"))


def open_parents(data: Sequence[Data]) -> list[Mount]:
    """Mounts over the folders of a stock image that the sandbox's user may not enter, on the way to data.

    A volume in memory that belongs to root: a plain tmpfs would get the mode of the folder in the image (runc 1.1).
    """
    if not any(PurePosixPath(CLOSED_FOLDER) in PurePosixPath(each.target).parents for each in data):
        return []
    options = {"type": "tmpfs", "device": "tmpfs", "o": "nosuid,nodev,noexec,size=64k,mode=0755"}
    return [_volume(CLOSED_FOLDER, {"DriverConfig": {"Name": "local", "Options": options}})]


def copied_mounts(data: Sequence[Data]) -> list[Mount]:
    """The volumes that `copy_data` fills. Reads the file system.

    Raises:
        InvalidArgumentError: A file is outside of `DATA_FOLDER`.
    """
    return [_volume(root, {}) for root in _by_volume(data)]


def _by_volume(data: Sequence[Data]) -> dict[str, list[Data]]:
    """The data of each volume, by its place: one for `DATA_FOLDER`, and one for each folder that is elsewhere."""
    volumes: dict[str, list[Data]] = {}
    for each in data:
        is_below = PurePosixPath(each.target).is_relative_to(DATA_FOLDER)
        if not is_below and not Path(each.source).is_dir():
            raise InvalidArgumentError(ONLY_FOLDERS.format(source=each.source, target=each.target))
        volumes.setdefault(DATA_FOLDER if is_below else each.target, []).append(each)
    return volumes


def copy_data(client: EngineClient, data: Sequence[Data], container: str) -> None:
    """Copy data into the volumes of a container that was created and has not started. Blocks.

    Raises:
        InvalidArgumentError: There is too much of it, it cannot be read, or holds a socket or a FIFO.
    """
    left = MOST_COPIED_BYTES
    for root, entries in _by_volume(data).items():
        with tempfile.TemporaryFile() as archive:
            try:
                left -= write_archive(entries, root, archive, left)
            except OSError as error:
                raise InvalidArgumentError(
                    f"Data cannot be copied to the engine: {error.strerror or error}."
                ) from error
            archive.seek(0)
            client.put_archive(container, root, archive)


def write_archive(data: Sequence[Data], root: str, file: IO[bytes], most_bytes: int) -> int:
    """Write data as a tar file, with names below `root`, and return its size. Reads files.

    Raises:
        InvalidArgumentError: There is too much of it.
        OSError: It cannot be read, or holds a socket or a FIFO.
    """
    total = 0

    def entry_of(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        nonlocal total
        total += entry.size
        if total > most_bytes:
            raise InvalidArgumentError(TOO_MUCH_TO_COPY.format(size=MOST_COPIED_BYTES // 2**20))
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mode &= 0o755  # the user inside is neither the owner nor of the group
        return None if entry.isdev() else entry

    # dereference=False: a link inside stays one, and leads nowhere but into the container's files.
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT, dereference=False) as archive:
        for each in data:
            refuse_sockets(each.source)
            name = PurePosixPath(each.target).relative_to(root)
            for parent in reversed(name.parents[:-1]):  # which the engine would make with modes of its own choice
                folder = tarfile.TarInfo(str(parent))
                folder.type, folder.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(folder)
            archive.add(each.source, str(name), filter=entry_of)
    return total


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
    return _volume(target, {"DriverConfig": {"Name": "local", "Options": options}})


def _volume(target: str, options: Mapping[str, object]) -> Mount:
    return {"Type": "volume", "Target": target, "VolumeOptions": {"NoCopy": True, **options}}


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
