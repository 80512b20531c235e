"""pip, which runs on the host and installs for the sandboxes: wheels alone, and without starting another program.

A wheel is unpacked; a source distribution is built by code of its own, on the host and with the user's rights. The
option ``--only-binary`` keeps pip from choosing one by its name, but not from building one that a wheel requires by an
address. So pip runs with an audit hook that lets it start no program to build with. Rejected: to read what each wheel
requires before pip does, which would be a resolver of our own.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from symposia.core import uninterrupted
from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext._variables import inherited_environment

_SETTINGS: Final = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_ROOT_USER_ACTION": "ignore"}
_NO_PIP: Final = (
    "No pip to fill the sandbox's Python environment with. Install it with: python -m ensurepip --upgrade "
    "(Debian, Ubuntu: apt install python3-pip)"
)
_OUTPUT_LINES_KEPT: Final = 16
# The programs that may be started describe the system, or look up the user's password for a registry.
_PIP_WITHOUT_PROGRAMS: Final = """
import os, runpy, sys
def refuse(event, arguments):
    if event in ("subprocess.Popen", "os.exec", "os.posix_spawn"):
        program = os.path.basename(os.fsdecode(arguments[0] or arguments[1][0]))
        if program in ("keyring", "lsb_release", "rustc") or program.startswith("ld-"):
            return
    elif event not in ("os.system", "os.spawn", "os.fork", "os.forkpty"):
        return
    raise PermissionError("only wheels are installed, and this is not one: to build it would run code of its own")
sys.addaudithook(refuse)
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


async def install_wheels(arguments: Sequence[str], *, configured: bool = True) -> str | None:
    """Run ``pip install``, with wheels alone.

    Args:
        arguments: Its arguments.
        configured: Whether the user's settings of pip apply, which name the registries to search.

    Returns:
        The end of what pip said if it failed, else None.

    Raises:
        SandboxUnavailableError: There is no pip.
    """
    # -P: neither pip nor what it imports is taken from the working directory, which may be a folder of generated code.
    command = [await _python_with_pip(), "-P", "-c", _PIP_WITHOUT_PROGRAMS, "install"]
    environment = inherited_environment()
    if not configured:
        environment = {name: value for name, value in environment.items() if not name.startswith("PIP_")}
        environment["PIP_CONFIG_FILE"] = os.devnull
    status, output = await run_command([*command, "--only-binary=:all:", *arguments], {**environment, **_SETTINGS})
    return output if status else None


async def run_command(command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a command of the set-up to its end, and kill it if the caller is cancelled.

    Args:
        command: The program and its arguments.
        environment: All its variables; by default those of this process.

    Returns:
        Its exit status, and the last lines of its output.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=inherited_environment() if environment is None else environment,
        umask=0o022,  # the sandbox's user is another one, and has to read what is made here
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.kill()
        await uninterrupted(process.wait())
        raise
    lines = output.decode(errors="replace").strip().splitlines()
    return process.returncode or 0, "\n".join(lines[-_OUTPUT_LINES_KEPT:])


async def _python_with_pip() -> str:
    """Find an interpreter that has pip: this one, else the one that its virtual environment was made from."""
    for python in dict.fromkeys((sys.executable, getattr(sys, "_base_executable", sys.executable))):
        status, _ = await run_command([python, "-P", "-m", "pip", "--version"])
        if status == 0:
            return python
    raise SandboxUnavailableError(_NO_PIP)
