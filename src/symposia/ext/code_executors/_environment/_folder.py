"""The Python of the sandboxes that share this machine's kernel and files: a virtual environment in the user's cache.

One is made for each set of packages that a user allows. It is that with the pinned packages, its files shared by hard
links, and the allowed packages among them. So it is used as any other: rejected was another folder on `sys.path`, which
every kind of sandbox and the sandboxes' server would have to know of.

Each is made beside its final place and renamed, so that it is either there as a whole or not at all.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from symposia.core import uninterrupted
from symposia.core.code_executor import Progress, SandboxPackages
from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._environment._additions import described, identity_of, install_allowed_packages
from symposia.ext.code_executors._environment._cache import (
    cache_folder,
    cache_problem,
    is_unused,
    make_cache_folder,
    mark_used,
    one_set_up_at_a_time,
)
from symposia.ext.code_executors._environment._packages import environment_key, install_pinned_packages
from symposia.ext.code_executors._environment._pip import run_command
from symposia.ext.code_executors._sandbox._python import SandboxPython, base_python

FOLDER: Final = "python"
UNFINISHED: Final = "unfinished"
NO_SYSTEM_FONTS: Final = "<fontconfig></fontconfig>\n"
AT_EVERY_START: Final = (  # the host's font settings are not there inside, which fontconfig would say with every plot
    "import os, sys; os.environ.setdefault('FONTCONFIG_FILE', os.path.join(sys.prefix, 'fonts.conf'))\n"
)
_PACKAGES_INSIDE: Final = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


def sandbox_python_folder(packages: SandboxPackages | None = None) -> Path:
    """The folder of the environment for this Python, the pins and the allowed packages, which need not exist.

    Reads the folder of wheels, if there is one.
    """
    # The interpreter too: the environment is a link to it, and two of the same version may be built differently.
    made_from = platform.python_version(), platform.machine(), os.path.realpath(sys.executable), AT_EVERY_START
    return cache_folder() / FOLDER / environment_key(*made_from, *identity_of(packages))


async def find_sandbox_python(packages: SandboxPackages | None = None) -> SandboxPython | None:
    """Find the environment, if an earlier set-up made it.

    Raises:
        InvalidArgumentError: The folder of wheels is none.
    """
    return await asyncio.to_thread(lambda: _find(sandbox_python_folder(packages)))


async def set_up_problem(packages: SandboxPackages | None = None) -> str | None:
    """Why the environment cannot be made, as far as that shows without trying; None where it exists."""
    try:
        return None if await find_sandbox_python(packages) else await asyncio.to_thread(cache_problem)
    except SandboxUnavailableError as error:
        return str(error)


async def make_sandbox_python(
    progress: Progress | None = None, packages: SandboxPackages | None = None
) -> SandboxPython:
    """Find the environment, or make it: some ten seconds and 200 MB, once for each Python and set of pins.

    Args:
        progress: Called with a line of text as each part of the work begins; never called when it is there already.
        packages: What is in it beside the pinned packages.

    Raises:
        SandboxUnavailableError: The cache folder cannot be written, or pip or the network failed. Nothing half-made
            remains.
        InvalidArgumentError: The folder of wheels is none.
    """
    await asyncio.to_thread(lambda: mark_used(sandbox_python_folder(packages).name))
    found = await find_sandbox_python(packages)
    if found:
        return found
    report = progress or ignore_progress
    async with one_set_up_at_a_time():
        pinned = await asyncio.to_thread(sandbox_python_folder)
        made = await asyncio.to_thread(_find, pinned) or await _make(pinned, lambda new: _fill(new, report))
        if packages is None:
            return made
        place = await asyncio.to_thread(sandbox_python_folder, packages)
        found = await asyncio.to_thread(_find, place)
        return found or await _make(place, lambda new: _extend(new, pinned, packages, report))


async def remove_unused_environments() -> list[Path]:
    """Remove the environments that no sandbox was made with for a month, but for the one with the pinned packages.

    One that a sandbox has used without a break since then is not recognised.

    Raises:
        SandboxUnavailableError: The cache folder cannot be written.
    """
    async with one_set_up_at_a_time():
        return await uninterrupted(asyncio.to_thread(_remove_unused))


def _remove_unused() -> list[Path]:
    parent, kept = make_cache_folder(FOLDER), sandbox_python_folder()
    folders = [folder for folder in parent.iterdir() if folder.is_dir() and folder not in (kept, parent / UNFINISHED)]
    unused = [folder for folder in folders if is_unused(folder.name, folder.stat().st_mtime)]
    for folder in unused:
        # Moved first: one that is half removed must not be found.
        shutil.rmtree(folder.rename(_unfinished_folder()), ignore_errors=True)
    return unused


async def _make(place: Path, fill: Callable[[Path], Awaitable[None]]) -> SandboxPython:
    # `fill` awaits its threads through `uninterrupted`: one that goes on after a cancellation would write into the
    # folder while it is removed, and into that of the next set-up.
    unfinished = await asyncio.to_thread(_unfinished_folder)
    try:
        await fill(unfinished)
        return await uninterrupted(asyncio.to_thread(_publish, unfinished, place))
    finally:
        await uninterrupted(asyncio.to_thread(shutil.rmtree, unfinished, ignore_errors=True))


async def _fill(folder: Path, report: Progress) -> None:
    report("making the sandbox's Python environment")
    status, output = await run_command([sys.executable, "-P", "-m", "venv", "--without-pip", str(folder)])
    if status:
        raise SandboxUnavailableError(
            f"python -m venv failed. On Debian and Ubuntu: apt install python3-venv. It said:\n{output}"
        )
    report("installing numpy, pandas and matplotlib into it")
    packages = folder / _PACKAGES_INSIDE
    await install_pinned_packages(packages)
    await uninterrupted(asyncio.to_thread(_write_for_all, folder / "fonts.conf", NO_SYSTEM_FONTS))
    await uninterrupted(asyncio.to_thread(_write_for_all, packages / "symposia.pth", AT_EVERY_START))


async def _extend(folder: Path, pinned: Path, packages: SandboxPackages, report: Progress) -> None:
    report(f"installing {described(packages)} for the sandboxes")
    fetched = folder / "fetched"
    await uninterrupted(asyncio.to_thread(_link_all, pinned, folder))
    await uninterrupted(asyncio.to_thread(fetched.mkdir))
    await install_allowed_packages(packages, fetched)
    await uninterrupted(asyncio.to_thread(_move_all, fetched, folder / _PACKAGES_INSIDE))


def _find(folder: Path) -> SandboxPython | None:
    return replace(base_python(), environment=folder) if (folder / "bin" / "python").exists() else None


def _unfinished_folder() -> Path:
    """Remove what a killed set-up left, and return where to make a new environment. Called with the lock held."""
    unfinished = make_cache_folder(FOLDER) / UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    return unfinished


def _publish(unfinished: Path, place: Path) -> SandboxPython:
    unfinished.rename(place)
    made = _find(place)
    if made is None:
        raise SandboxUnavailableError(f"{place} was removed while it was made.")
    return made


def _link_all(source: Path, folder: Path) -> None:
    """Copy an environment by hard links, as far as the file system has them: its files are never written again."""
    for here, folders, files in os.walk(source):
        target = _same_folder(Path(here), source, folder)
        links = [name for name in folders if Path(here, name).is_symlink()]
        for name in (*files, *links):
            _link_or_copy(Path(here, name), target / name)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without hard links, or one that is out of them
        shutil.copy2(source, target, follow_symlinks=False)


def _move_all(source: Path, folder: Path) -> None:
    """Move files in among others. One that is there already is replaced and not written, as it may be shared."""
    for here, _, files in os.walk(source):
        target = _same_folder(Path(here), source, folder)
        for file in files:
            Path(here, file).replace(target / file)
    shutil.rmtree(source)


def _same_folder(here: Path, source: Path, folder: Path) -> Path:
    """Make the folder below `folder` that is as `here` is below `source`, where it is missing."""
    target = folder / here.relative_to(source)
    if not target.exists():
        target.mkdir()
        target.chmod(0o755)  # whatever the umask is: the sandbox's user is another one
    return target


def _write_for_all(file: Path, text: str) -> None:
    """Write a file that all users can read, whatever the umask of this process is."""
    file.write_text(text, encoding="utf-8")
    file.chmod(0o644)


def ignore_progress(_line: str) -> None:
    """A progress listener that does nothing."""
