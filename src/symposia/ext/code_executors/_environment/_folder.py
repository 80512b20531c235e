"""The Python of the sandboxes that share this machine's kernel and files: a virtual environment in the user's cache.

It is made beside its final place and renamed, so that it is either there as a whole or not at all.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._environment._pins import environment_key
from symposia.ext.code_executors._environment._pip import install_pinned_packages, run_command
from symposia.ext.code_executors._sandbox._python import SandboxPython

NO_SYSTEM_FONTS = "<fontconfig></fontconfig>\n"
AT_EVERY_START = (  # the host's font settings are out of reach inside, which fontconfig would say with every plot
    "import os, sys; os.environ.setdefault('FONTCONFIG_FILE', os.path.join(sys.prefix, 'fonts.conf'))\n"
)
Progress = Callable[[str], None]
UNFINISHED = "unfinished-"
ABANDONED_AFTER_SECONDS = 3600


def sandbox_python_folder() -> Path:
    """Say where the environment of this Python and these pins is, or would be."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    key = environment_key(
        platform.python_version(), platform.machine(), os.path.realpath(sys.executable), AT_EVERY_START
    )
    return cache / "symposia" / "python" / key


async def find_sandbox_python() -> SandboxPython | None:
    """Find the environment that an earlier set-up made; None when there is none."""
    folder = await asyncio.to_thread(sandbox_python_folder)
    return await asyncio.to_thread(_sandbox_python, folder)


async def make_sandbox_python(progress: Progress | None = None) -> SandboxPython:
    """Find the environment, or make it: some ten seconds and 200 MB, once for each Python and set of pins.

    Args:
        progress: Called with a line of text as each part of the work begins; never called when it is there already.

    Raises:
        SandboxUnavailableError: The cache folder cannot be written, or pip or the network failed. Nothing half-made
            remains.
    """
    folder = await asyncio.to_thread(sandbox_python_folder)
    found = await asyncio.to_thread(_sandbox_python, folder)
    if found:
        return found
    report = progress or say_nothing
    unfinished = await asyncio.to_thread(_unfinished_folder, folder.parent)
    try:
        await _fill(unfinished / "python", report)
        await asyncio.to_thread(_publish, unfinished / "python", folder)
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, unfinished, ignore_errors=True))
    made = await asyncio.to_thread(_sandbox_python, folder)
    if made is None:
        raise SandboxUnavailableError(f"The sandbox's Python environment disappeared from {folder} while it was made.")
    return made


async def _fill(folder: Path, report: Progress) -> None:
    report("making the sandbox's Python environment")
    status, output = await run_command([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    if status:
        raise SandboxUnavailableError(
            f"python -m venv failed. On Debian and Ubuntu: apt install python3-venv. It said:\n{output}"
        )
    report("installing numpy, pandas and matplotlib into it")
    await install_pinned_packages(_packages_folder(folder))
    await asyncio.to_thread(_write_for_all, folder / "fonts.conf", NO_SYSTEM_FONTS)
    await asyncio.to_thread(_write_for_all, _packages_folder(folder) / "symposia.pth", AT_EVERY_START)


def _write_for_all(file: Path, text: str) -> None:
    """Write a file that the sandbox's user can read too, whatever this process's umask is."""
    file.write_text(text, encoding="utf-8")
    file.chmod(0o644)


def _packages_folder(folder: Path) -> Path:
    return folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def _sandbox_python(folder: Path) -> SandboxPython | None:
    executable = folder / "bin" / "python"
    if not executable.exists():
        return None
    return SandboxPython(executable=executable, read_only_paths=(folder, Path(sys.base_prefix)))


def _unfinished_folder(parent: Path) -> Path:
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(parent)
        return Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=parent))
    except OSError as error:
        raise SandboxUnavailableError(
            f"The sandbox's Python environment cannot be made in {parent}: {error.strerror}. "
            "Make the folder writable, or set XDG_CACHE_HOME to one that is."
        ) from error


def _remove_abandoned(parent: Path) -> None:
    """Remove what makers that were killed have left."""
    for folder in parent.glob(f"{UNFINISHED}*"):
        if time.time() - folder.stat().st_mtime > ABANDONED_AFTER_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _publish(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError:
        if not folder.exists():  # else another process was faster, and its environment is as good
            raise


def say_nothing(_line: str) -> None:
    """Report no progress."""
