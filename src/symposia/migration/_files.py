"""The files of a project: which are looked at, how they are read, and how they are written."""

from __future__ import annotations

import os
import tempfile
import tokenize
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

from symposia.migration._requirements import FILES

SUFFIXES = (".py", ".pyi", ".ipynb", ".json")
SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})
MAX_BYTES = 50 * 2**20
"""A larger file in a folder is data, and no program."""


def files_of(paths: Iterable[Path]) -> Iterator[Path]:
    """The files to look at, each once: the given ones, and those of the given folders.

    In folders, hidden entries, virtual environments, installed packages, links that lead out of the folder and files of
    more than 50 MiB are left out. A folder that cannot be read is among the files, since reading it tells why.
    """
    seen: set[Path] = set()
    for path in paths:
        for file in _files_below(path) if path.is_dir() else (path,):
            real = file.resolve() if file.exists() else file
            if real not in seen:
                seen.add(real)
                yield file


def contents(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        OSError: It cannot be read, or is something else than a file, such as a pipe.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(f"{path} is no file.")
    return path.read_bytes()


def _files_below(folder: Path) -> Iterator[Path]:
    unreadable: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=unreadable.append):
        here = Path(parent)
        folders[:] = sorted(name for name in folders if not _is_skipped(here / name))
        for name in sorted(files):
            file = here / name
            if (
                (file.suffix in SUFFIXES or FILES.fullmatch(name))
                and not name.startswith(".")
                and _is_inside(file, folder)
            ):
                yield file
    yield from (Path(error.filename) for error in unreadable)


def _is_skipped(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in SKIPPED or (folder / "pyvenv.cfg").exists()


def _is_inside(file: Path, folder: Path) -> bool:
    if not file.is_file() or file.stat().st_size > MAX_BYTES:
        return False
    return not file.is_symlink() or file.resolve().is_relative_to(folder.resolve())


def decoded(path: Path, data: bytes) -> tuple[str, str]:
    """The text of a file, and its encoding: for Python what its first lines declare, else UTF-8.

    Raises:
        ValueError: The file has another encoding.
    """
    encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    try:
        if path.suffix not in {".ipynb", ".json"} and not FILES.fullmatch(path.name):
            encoding, _ = tokenize.detect_encoding(BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise ValueError(f"Its encoding cannot be read: {error}") from None
    if text.encode(encoding) != data:
        raise ValueError(f"Its encoding, {encoding}, does not keep every byte.")
    return text, encoding


def replace_file(path: Path, before: bytes, after: bytes) -> None:
    """Put other bytes in place of a file's: all of them or none. A link stays, and its target is changed.

    Raises:
        OSError: The file cannot be written, or no longer has the bytes `before`.
    """
    real = path.resolve()
    status = real.stat()
    if not status.st_mode & 0o222 or not os.access(real, os.W_OK):
        raise PermissionError(f"{path} is not writable.")
    if contents(real) != before:
        raise OSError(f"{path} has changed since it was read. Start again.")
    handle, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(after)
        Path(name).chmod(status.st_mode & 0o7777)
        if hasattr(os, "chown"):
            os.chown(name, status.st_uid, status.st_gid)  # the new file would belong to who migrates
        Path(name).replace(real)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
