"""The packages that a user allows beside the pinned ones: fetched by the host's pip into a folder, to be put on top.

The pinned packages stay as they are, since they are there already. pip cannot see them, so it is given a wheel for each
that has nothing in it but its name and version: what needs numpy is satisfied, what needs another numpy is refused by
pip with the reason, and nothing is fetched twice.
"""

from __future__ import annotations

import asyncio
import shutil
import zipfile
from pathlib import Path
from typing import Final

from symposia.core import uninterrupted
from symposia.core.code_executor import SandboxPackages
from symposia.core.exceptions import InvalidArgumentError, SandboxPackagesError
from symposia.ext._temporary_folders import temporary_folder
from symposia.ext.code_executors._environment._packages import PINNED_PACKAGES, TargetPython
from symposia.ext.code_executors._environment._pip import install_wheels

_THERE: Final = "+symposia"
"""Makes a version later than the same one of the registry, while ``==`` does not tell them apart (PEP 440)."""
# Python runs these when it starts: in the server, before any block, and without its confinement.
_RUN_AT_START: Final = ("*.pth", "sitecustomize*", "usercustomize*")


def identity_of(packages: SandboxPackages | None) -> tuple[str, ...]:
    """What decides which packages are installed, for `environment_key`. Reads the folder of wheels.

    Wheels count by name, size and time of change: to read them all would delay every start of a sandbox.

    Raises:
        InvalidArgumentError: The folder of wheels is none.
    """
    if packages is None:
        return ()
    wheels: list[str] = []
    if packages.wheels is not None:
        try:
            found = [(wheel.name, wheel.stat()) for wheel in sorted(packages.wheels.iterdir())]
        except OSError as error:
            raise InvalidArgumentError(
                f"{packages.wheels} cannot be read as a folder of wheels: {error.strerror}. Make it with: "
                f"pip download --only-binary=:all: --dest {packages.wheels} {' '.join(packages.requirements)}"
            ) from error
        wheels = ["wheels"]
        wheels += [f"{name} {file.st_size} {file.st_mtime_ns}" for name, file in found if name.endswith(".whl")]
    return ("\n".join(packages.requirements), "\n".join(wheels))


def described(packages: SandboxPackages) -> str:
    """The packages, for a line of progress."""
    source = "" if packages.wheels is None else f" from {packages.wheels}"
    return f"{', '.join(packages.requirements)}{source}"


async def install_allowed_packages(packages: SandboxPackages, folder: Path, target: TargetPython | None = None) -> None:
    """Put the allowed packages into `folder`, with what they need beside the pinned ones. Nothing is built.

    What Python would run at its start is left out.

    Args:
        packages: The packages.
        folder: An existing, empty folder.
        target: Which Python they are for; the one that runs this process when None.

    Raises:
        SandboxUnavailableError: There is no pip.
        SandboxPackagesError: It failed; the text holds what it said.
    """
    async with temporary_folder("packages") as work:
        await uninterrupted(asyncio.to_thread(_write_pinned, work))
        arguments = ["--target", str(folder), "--constraint", str(work / "pins.txt"), "--find-links", str(work)]
        arguments += target.pip_arguments() if target else []
        if packages.wheels is not None:
            arguments += ["--no-index", "--find-links", str(packages.wheels.absolute())]
        output = await install_wheels([*arguments, *packages.requirements], configured=packages.wheels is None)
    if output is not None:
        raise SandboxPackagesError(_failure(packages, output))
    await uninterrupted(asyncio.to_thread(_remove_unwanted, folder))


def _failure(packages: SandboxPackages, output: str) -> str:
    searched = "the package registry" if packages.wheels is None else f"the folder {packages.wheels}, and nothing else,"
    said, pinned = "\n".join(line for line in output.splitlines() if line.startswith("ERROR:")) or output, ""
    if "conflict" in output:  # only then do the other packages matter, and what pip says beside its errors
        said = output
        pinned = f" Packages that sandboxes have anyway stay at their versions: {', '.join(PINNED_PACKAGES.split())}."
    return (
        f"pip could not install {', '.join(packages.requirements)} for the sandboxes. It searched {searched} for "
        "wheels that fit the sandbox's Python. A source distribution is never used, since building one runs code of "
        f"its own.{pinned} Check the names and the versions. pip said:\n{said}"
    )


def _write_pinned(folder: Path) -> None:
    """Write the wheels that say what is there already, and pip's constraints on it."""
    (folder / "pins.txt").write_text(PINNED_PACKAGES, encoding="utf-8")
    for pin in PINNED_PACKAGES.split():
        name, _, version = pin.partition("==")
        stem = f"{name.replace('-', '_')}-{version}{_THERE}"
        with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
            about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}{_THERE}\n"
            wheel.writestr(f"{stem}.dist-info/METADATA", about)
            tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            wheel.writestr(f"{stem}.dist-info/WHEEL", tag)
            wheel.writestr(f"{stem}.dist-info/RECORD", "")


def _remove_unwanted(folder: Path) -> None:
    for pattern in (f"*{_THERE}.dist-info", *_RUN_AT_START):
        for found in folder.glob(pattern):
            if found.is_dir() and not found.is_symlink():
                shutil.rmtree(found)
            else:
                found.unlink()
