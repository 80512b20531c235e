"""The packages that generated code can import: pinned in ``packages.txt``, and put into a folder by the host's pip.

One list for every sandbox. pip runs on the host; nothing of it runs in a sandbox.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._environment._cache import inherited_environment

PINNED_PACKAGES: Final = files(__name__.rpartition(".")[0]).joinpath("packages.txt").read_text(encoding="utf-8")
PINNED_NAMES: Final = frozenset(line.partition("==")[0] for line in PINNED_PACKAGES.splitlines())


def environment_key(*parts: str) -> str:
    """A name for an environment, from all that decides its contents: the pins and `parts`."""
    return hashlib.sha256("\0".join((PINNED_PACKAGES, *parts)).encode()).hexdigest()[:16]


PIP_SETTINGS = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_ROOT_USER_ACTION": "ignore"}
NO_PIP = (
    "No pip to fill the sandbox's Python environment with. Install it with: python -m ensurepip --upgrade "
    "(Debian, Ubuntu: apt install python3-pip)"
)
ERROR_LINES_SHOWN = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetPython:
    """The Python that packages are meant for, when it is not the one that runs this process.

    Attributes:
        version: ``3.11``.
        machine: As the kernel names it: ``x86_64``, ``aarch64``.
        glibc_minor: The C library's version, 36 for 2.36; it decides which binary wheels fit.
    """

    version: str
    machine: str
    glibc_minor: int

    def pip_arguments(self) -> list[str]:
        """The same as options of pip, which does not derive the older platforms from the newest."""
        platforms = [f"manylinux_2_{minor}_{self.machine}" for minor in range(self.glibc_minor, 16, -1)]
        platforms.append(f"manylinux2014_{self.machine}")
        chosen = ["--python-version", self.version, "--implementation", "cp"]
        return chosen + [part for platform in platforms for part in ("--platform", platform)]


async def install_pinned_packages(
    folder: Path, target: TargetPython | None = None, packages: str = PINNED_PACKAGES
) -> None:
    """Put the pinned packages into `folder`, without building anything.

    Args:
        folder: An existing, empty folder.
        target: Which Python they are for; the one that runs this process when None.
        packages: The pins, one a line, with all that they depend on.

    Raises:
        SandboxUnavailableError: There is no pip, or it failed; the text holds the end of what it said.
    """
    # Wheels only: building a source distribution runs code of the package, on the host and with the user's rights. All
    # packages are pinned, so that nothing has to be resolved.
    command = [await _python_with_pip(), "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--target", str(folder), *(target.pip_arguments() if target else []), *packages.split()]
    status, output = await run_command(command)
    if status:
        raise SandboxUnavailableError(
            "pip could not fetch the packages of the sandbox's Python environment. Check the network or pip's index "
            f"settings and run it again. pip said:\n{output}"
        )


async def run_command(command: Sequence[str]) -> tuple[int, str]:
    """Run a command of the set-up to its end, and kill it if the caller is cancelled.

    Returns:
        Its exit status, and the last lines of its output.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**inherited_environment(), **PIP_SETTINGS},
        umask=0o022,  # the sandbox's user is another one, and has to read what is made here
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    lines = output.decode(errors="replace").strip().splitlines()
    return process.returncode or 0, "\n".join(lines[-ERROR_LINES_SHOWN:])


async def _python_with_pip() -> str:
    """Find an interpreter that has pip: this one, else the one that its virtual environment was made from."""
    for python in dict.fromkeys((sys.executable, getattr(sys, "_base_executable", sys.executable))):
        status, _ = await run_command([python, "-m", "pip", "--version"])
        if status == 0:
            return python
    raise SandboxUnavailableError(NO_PIP)
