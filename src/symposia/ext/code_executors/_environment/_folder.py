"""The Python of the sandboxes that share this machine's kernel and files: a virtual environment in the user's cache.

It is made beside its final place and renamed, so that it is either there as a whole or not at all.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from symposia.core.code_executor import Progress
from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._environment._cache import (
    cache_folder,
    cache_problem,
    make_cache_folder,
    one_set_up_at_a_time,
)
from symposia.ext.code_executors._environment._packages import environment_key, install_pinned_packages, run_command
from symposia.ext.code_executors._sandbox._python import SandboxPython, base_python

FOLDER: Final = "python"
UNFINISHED: Final = "unfinished"
NO_SYSTEM_FONTS: Final = "<fontconfig></fontconfig>\n"
AT_EVERY_START: Final = (  # the host's font settings are not there inside, which fontconfig would say with every plot
    "import os, sys; os.environ.setdefault('FONTCONFIG_FILE', os.path.join(sys.prefix, 'fonts.conf'))\n"
)


def sandbox_python_folder() -> Path:
    """The folder of the environment for this Python and these pins, which need not exist."""
    # The interpreter too: the environment is a link to it, and two of the same version may be built differently.
    made_from = platform.python_version(), platform.machine(), os.path.realpath(sys.executable), AT_EVERY_START
    return cache_folder() / FOLDER / environment_key(*made_from)


async def find_sandbox_python() -> SandboxPython | None:
    """Find the environment, if an earlier set-up made it."""
    return await asyncio.to_thread(_find)


async def set_up_problem() -> str | None:
    """Why the environment cannot be made, as far as that shows without trying; None where it exists."""
    try:
        return None if await find_sandbox_python() else await asyncio.to_thread(cache_problem)
    except SandboxUnavailableError as error:
        return str(error)


async def make_sandbox_python(progress: Progress | None = None) -> SandboxPython:
    """Find the environment, or make it: some ten seconds and 200 MB, once for each Python and set of pins.

    Args:
        progress: Called with a line of text as each part of the work begins; never called when it is there already.

    Raises:
        SandboxUnavailableError: The cache folder cannot be written, or pip or the network failed. Nothing half-made
            remains.
    """
    found = await find_sandbox_python()
    if found:
        return found
    async with one_set_up_at_a_time():
        found = await find_sandbox_python()
        return found or await _make(progress or ignore_progress)


async def _make(report: Progress) -> SandboxPython:
    unfinished = await asyncio.to_thread(_unfinished_folder)
    try:
        await _fill(unfinished, report)
        return await asyncio.to_thread(_publish, unfinished)
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, unfinished, ignore_errors=True))


async def _fill(folder: Path, report: Progress) -> None:
    report("making the sandbox's Python environment")
    status, output = await run_command([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    if status:
        raise SandboxUnavailableError(
            f"python -m venv failed. On Debian and Ubuntu: apt install python3-venv. It said:\n{output}"
        )
    report("installing numpy, pandas and matplotlib into it")
    packages = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    await install_pinned_packages(packages)
    await asyncio.to_thread(_write_for_all, folder / "fonts.conf", NO_SYSTEM_FONTS)
    await asyncio.to_thread(_write_for_all, packages / "symposia.pth", AT_EVERY_START)


def _find() -> SandboxPython | None:
    folder = sandbox_python_folder()
    return replace(base_python(), environment=folder) if (folder / "bin" / "python").exists() else None


def _unfinished_folder() -> Path:
    """Remove what a killed set-up left, and return where to make a new environment. Called with the lock held."""
    unfinished = make_cache_folder(FOLDER) / UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    return unfinished


def _publish(unfinished: Path) -> SandboxPython:
    unfinished.rename(sandbox_python_folder())
    made = _find()
    if made is None:
        raise SandboxUnavailableError(f"{sandbox_python_folder()} was removed while it was made.")
    return made


def _write_for_all(file: Path, text: str) -> None:
    """Write a file that all users can read, whatever the umask of this process is."""
    file.write_text(text, encoding="utf-8")
    file.chmod(0o644)


def ignore_progress(_line: str) -> None:
    """A progress listener that does nothing."""
