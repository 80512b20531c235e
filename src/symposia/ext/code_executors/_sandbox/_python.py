"""The Python that runs blocks: where it is on the host, and where it is inside a sandbox of this machine."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._sandbox._mounts import (
    OWN_FOLDERS,
    PYTHON_FOLDER,
    SYSTEM_FOLDERS,
    Bind,
    Mount,
    Symlink,
    TextFile,
    hidden_packages,
)

MOVED_PREFIX = f"{PYTHON_FOLDER}/base"
"""Where an installation is inside that cannot be at its own place."""
_NAMES = ("python3", "python")
_MADE_ANEW = frozenset({"bin", "pyvenv.cfg"})


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxPython:
    """The interpreter that runs the blocks, by its places on the host.

    Attributes:
        interpreter: The program itself, or a symbolic link to it.
        prefix: The installation that it belongs to, with its standard library: ``sys.base_prefix``.
        environment: A virtual environment made from it, whose packages the blocks import; None for none.
    """

    interpreter: Path
    prefix: Path
    environment: Path | None = None

    @property
    def executable(self) -> Path:
        """The path of this Python for programs of the host, outside any sandbox."""
        return self.interpreter if self.environment is None else self.environment / "bin" / "python"


def base_python() -> SandboxPython:
    """The interpreter that this process was made from, without the packages of any environment."""
    executable = Path(getattr(sys, "_base_executable", sys.executable))  # what a venv's python links to
    return SandboxPython(interpreter=executable, prefix=Path(sys.base_prefix))


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


def place_python(python: SandboxPython) -> PlacedPython:
    """Decide where the interpreter and its environment are inside. Reads the file system.

    The environment is put together anew at a fixed place, rather than bound where it is: it may lie below ``/tmp``, or
    wherever else a sandbox has something of its own, and its ``bin/python`` may be a chain of links of the host. The
    installation stays where it is as long as nothing of the sandbox covers that place, since an interpreter that was
    built with shared libraries has its path written into it; a moved one finds them by ``LD_LIBRARY_PATH``.

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
        base = _installation(prefix, place, interpreter)
        if moved or prefix != python.prefix.absolute():  # not at the path that is written into it
            environment["LD_LIBRARY_PATH"] = f"{place}/lib"
    if python.environment is None:
        return PlacedPython(inside, environment, tuple(base))
    return PlacedPython(
        f"{PYTHON_FOLDER}/bin/python", environment, (*_environment_mounts(python.environment, inside), *base)
    )


def state_of_packages(python: PlacedPython) -> tuple[tuple[int, ...], ...]:
    """What differs when packages were installed or removed, or the environment was made anew. Reads the file system.

    By the folders of packages: all installers write a folder beside those of a package (PEP 376). What is changed in a
    module by hand is not noticed.
    """
    sources = [Path(mount.source) for mount in python.mounts if isinstance(mount, Bind)]
    folders = [folder for source in sources for folder in (source, *source.glob("python3*/*-packages"))]
    found = [folder.stat() for folder in folders if folder.exists()]
    return tuple((each.st_dev, each.st_ino, each.st_mtime_ns) for each in found)


def _installation(prefix: Path, place: str, interpreter: Path) -> list[Mount]:
    """The interpreter and its libraries, without the packages that are installed into it and whatever else is there."""
    libraries = sorted(folder for folder in prefix.glob("lib*") if folder.is_dir() and not folder.is_symlink())
    links = sorted(link for link in prefix.glob("lib*") if link.is_symlink())
    return [
        Bind(str(interpreter), f"{place}/{interpreter.relative_to(prefix)}"),
        *(Bind(str(folder), f"{place}/{folder.name}") for folder in libraries),
        *(Symlink(str(link.readlink()), f"{place}/{link.name}") for link in links),
        *hidden_packages(prefix, place),
        *(Symlink(interpreter.name, f"{place}/bin/{name}") for name in _NAMES if name != interpreter.name),
    ]


def _environment_mounts(environment: Path, interpreter: str) -> Iterator[Mount]:
    """A virtual environment of its own for `interpreter`, with everything of the host's but its programs.

    The programs are left out because each names the host's interpreter in its first line.
    """
    yield TextFile(f"home = {posixpath.dirname(interpreter)}\n", f"{PYTHON_FOLDER}/pyvenv.cfg")
    yield Symlink(interpreter, f"{PYTHON_FOLDER}/bin/python")
    yield Symlink(interpreter, f"{PYTHON_FOLDER}/bin/python3")
    for entry in sorted(environment.iterdir()):
        target = f"{PYTHON_FOLDER}/{entry.name}"
        if entry.name in _MADE_ANEW:
            continue
        yield Symlink(str(entry.readlink()), target) if entry.is_symlink() else Bind(str(entry.resolve()), target)


def _is_system(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in SYSTEM_FOLDERS)


def _is_covered(path: Path) -> bool:
    """Whether `path` contains a folder of the sandbox's own, or lies in one."""
    return any(path.is_relative_to(folder) or Path(folder).is_relative_to(path) for folder in OWN_FOLDERS)
