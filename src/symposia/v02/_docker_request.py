"""Where code runs that is to run in Docker: there, or in another sandbox where no engine answers."""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from symposia._program_line import level_outside
from symposia.core.code_executor import SandboxBackend
from symposia.core.exceptions import MissingExtraError, SandboxUnavailableError
from symposia.ext.code_executors import AutoBackend, choose_backend, sandbox_kinds
from symposia.ext.code_executors.docker import DockerBackend
from symposia.v02._background_call import call_in_caller

UseDocker = bool | str | Sequence[str] | None
"""True, an image, or several of which one is taken; False for this machine; None for Docker only where it is there."""

VARIABLE: Final = "AUTOGEN_USE_DOCKER"
MEANINGS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("1", "true", "yes", "t"), True),
    **dict.fromkeys(("0", "false", "no", "f"), False),
    "none": None,
}
NO_SANDBOX: Final = (
    "Code execution is set to be run in docker (default behaviour) but docker is not running. No other sandbox works "
    "here either.\n{reason}\nStart Docker, or make another sandbox work (`symposia doctor` says how). To run code "
    'without a sandbox, with the rights of your user, set "use_docker": False in code_execution_config, or '
    f"{VARIABLE}=0."
)
ANOTHER: Final = "Docker was asked for and does not answer: code runs in another sandbox ({name}). {reason}"
IN_CONTAINER: Final = (
    "Docker was asked for, and no sandbox works in this container: code runs in the container itself, with the rights "
    "of your user. {reason}"
)
UNPROTECTED: Final = (
    "use_docker is False: code in messages runs on this machine with your user's rights, and can read, change and send "
    "whatever you can. Leave use_docker out to run it in a sandbox."
)


def default_use_docker() -> bool | None:
    """What the environment says about Docker; True where it says nothing.

    Raises:
        ValueError: ``AUTOGEN_USE_DOCKER`` has another value.
    """
    value = os.environ.get(VARIABLE, "true")
    if value.lower() not in MEANINGS:
        raise ValueError(
            f'Invalid value for {VARIABLE}: {value}. Please set {VARIABLE} to "1/True/yes", "0/False/no", or "None".'
        )
    return MEANINGS[value.lower()]


def is_in_container() -> bool:
    """Whether this program runs in a Docker container."""
    return Path("/.dockerenv").exists()


async def missing_engine() -> str | None:
    """Why no Docker engine can be used; None where one can."""
    try:
        await DockerBackend().runtime()
    except (MissingExtraError, SandboxUnavailableError) as error:
        return str(error)
    return None


async def sandbox_for(use_docker: UseDocker) -> SandboxBackend | None:
    """What makes the sandboxes for a request; None where code runs on this machine. It warns of all but Docker.

    Raises:
        RuntimeError: No sandbox works, and this is no container.
    """
    if use_docker is False:
        await _warn(UNPROTECTED)
        return None
    missing = await missing_engine()
    if missing is None:
        return docker_sandbox([use_docker] if isinstance(use_docker, str) else _images(use_docker))
    try:
        return await another_sandbox(missing)
    except SandboxUnavailableError as error:
        if use_docker is not None and not is_in_container():
            raise RuntimeError(NO_SANDBOX.format(reason=error)) from error
        await _warn(UNPROTECTED if use_docker is None else IN_CONTAINER.format(reason=missing))
        return None


def docker_sandbox(images: Sequence[str]) -> SandboxBackend:
    """A sandbox in Docker: of the first of these images that starts. Without images, the best kind that starts."""
    if not images:
        return AutoBackend()
    return AutoBackend([DockerBackend(image) for image in images]) if len(images) > 1 else DockerBackend(images[0])


async def another_sandbox(missing: str) -> SandboxBackend:
    """A sandbox of another kind than Docker, with a warning.

    Args:
        missing: Why Docker is not used.

    Raises:
        SandboxUnavailableError: None works.
    """
    kinds = await asyncio.to_thread(sandbox_kinds)  # reads what is installed
    others = [kind.make() for kind in kinds if kind.isolated and kind.name != DockerBackend.name]
    chosen = await choose_backend(others)
    await _warn(ANOTHER.format(name=chosen.name, reason=missing))
    return chosen


async def _warn(text: str) -> None:
    """Warn in the thread of the program, at its own line."""
    await call_in_caller(lambda: warnings.warn(text, UserWarning, stacklevel=level_outside(1)))


def _images(use_docker: bool | Sequence[str] | None) -> Sequence[str]:
    return () if use_docker is None or isinstance(use_docker, bool) else use_docker
