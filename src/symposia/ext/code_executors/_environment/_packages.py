"""The packages that generated code can import: pinned in ``packages.txt``, and put into a folder by the host's pip.

One list for every sandbox. pip runs on the host (`_pip`); nothing of it runs in a sandbox.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._environment._pip import install_wheels

PINNED_PACKAGES: Final = files(__name__.rpartition(".")[0]).joinpath("packages.txt").read_text(encoding="utf-8")
PINNED_NAMES: Final = frozenset(line.partition("==")[0] for line in PINNED_PACKAGES.splitlines())


def environment_key(*parts: str) -> str:
    """A name for an environment, from all that decides its contents: the pins and `parts`."""
    return hashlib.sha256("\0".join((PINNED_PACKAGES, *parts)).encode()).hexdigest()[:16]


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
    # All packages are pinned, so that nothing has to be resolved.
    arguments = ["--no-deps", "--target", str(folder), *(target.pip_arguments() if target else [])]
    output = await install_wheels([*arguments, *packages.split()])
    if output is not None:
        raise SandboxUnavailableError(
            "pip could not fetch the packages of the sandbox's Python environment. Check the network or pip's index "
            f"settings and run it again. pip said:\n{output}"
        )
