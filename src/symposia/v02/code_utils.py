"""Code in messages, and running it without an executor."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import venv
from collections.abc import Coroutine, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, TypeAlias

from symposia.v02._background_loop import run_in_background
from symposia.v02._code_text import (
    CODE_BLOCK_PATTERN,
    PYTHON_NAMES,
    TIMEOUT_MSG,
    UNKNOWN,
    content_str,
    extract_code,
    infer_lang,
)

__all__ = [
    "CODE_BLOCK_PATTERN",
    "DEFAULT_MODEL",
    "DEFAULT_TIMEOUT",
    "FAST_MODEL",
    "PYTHON_VARIANTS",
    "TIMEOUT_MSG",
    "UNKNOWN",
    "WORKING_DIR",
    "a_execute_code",
    "check_can_use_docker_or_throw",
    "content_str",
    "create_virtual_env",
    "decide_use_docker",
    "execute_code",
    "extract_code",
    "get_powershell_command",
    "in_docker_container",
    "infer_lang",
    "is_docker_running",
]

DEFAULT_MODEL: Final = "gpt-4"
FAST_MODEL: Final = "gpt-3.5-turbo"
DEFAULT_TIMEOUT: Final = 600
"""Seconds that code may run."""
PYTHON_VARIANTS: Final = list(PYTHON_NAMES)
WORKING_DIR: Final = str(
    Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "symposia" / "extensions"
)
"""Where code runs for which no folder is given."""

UseDocker: TypeAlias = bool | str | list[str] | None
_FROM_ENVIRONMENT: Final[Any] = object()  # Any: stands for an argument


def execute_code(
    code: str | None = None,
    timeout: float | None = None,
    filename: str | None = None,
    work_dir: str | None = None,
    use_docker: UseDocker = _FROM_ENVIRONMENT,
    lang: str | None = "python",
) -> tuple[int, str, str | None]:
    """Run code in a work folder.

    Args:
        code: The source; None to run the file that is there.
        timeout: Seconds that it may run; 600 by default.
        filename: The file of the source in the work folder; None for one that is removed when it has run.
        work_dir: The folder, `WORKING_DIR` by default.
        use_docker: Where it runs. True, or the name of an image, for a container, and for another sandbox where no
            Docker engine answers; False for this machine, without protection; None for Docker only where it is there.
            By default, what ``AUTOGEN_USE_DOCKER`` says.
        lang: ``python``, or the name of a shell.

    Returns:
        Its exit code; what it printed, to stdout where it succeeded and to stderr where it failed, or ``Timeout``; and
        the image in which it ran, if one was asked for.

    Raises:
        AssertionError: There is neither code nor a file.
        NotImplementedError: It is in another language.
        RuntimeError: No sandbox works.
    """
    return run_in_background(lambda: a_execute_code(code, timeout, filename, work_dir, use_docker, lang))


async def a_execute_code(
    code: str | None = None,
    timeout: float | None = None,
    filename: str | None = None,
    work_dir: str | None = None,
    use_docker: UseDocker = _FROM_ENVIRONMENT,
    lang: str | None = "python",
) -> tuple[int, str, str | None]:
    """Run code like `execute_code`, without blocking the event loop."""
    if code is None and filename is None:
        raise AssertionError("Either code=None or filename=None must be provided.")

    def run() -> Coroutine[Any, Any, tuple[int, str, str | None]]:
        from symposia.v02._legacy_execution import LegacyCode, run_legacy_code  # noqa: PLC0415 - only where code runs

        wanted = LegacyCode(
            code=code,
            file=filename,
            language=lang or infer_lang(code or ""),
            work_dir=Path(work_dir or WORKING_DIR),
            use_docker=decide_use_docker(None) if use_docker is _FROM_ENVIRONMENT else use_docker,
            timeout=timeout or DEFAULT_TIMEOUT,
        )
        return run_legacy_code(wanted)

    return await (await asyncio.to_thread(run))  # the sandboxes are imported there


def decide_use_docker(use_docker: UseDocker) -> UseDocker:
    """The setting, or what ``AUTOGEN_USE_DOCKER`` says where it is None: True by default.

    Raises:
        ValueError: The variable has another value than ``1``, ``0`` and ``none``, and other words for these.
    """
    from symposia.v02._docker_request import default_use_docker  # noqa: PLC0415 - imports the sandboxes

    return default_use_docker() if use_docker is None else use_docker


def check_can_use_docker_or_throw(use_docker: UseDocker) -> None:
    """Check that code can run where it is to, and warn where that is not Docker.

    Raises:
        RuntimeError: Docker is asked for, no sandbox works, and this is no container.
    """
    from symposia.v02._docker_request import sandbox_for  # noqa: PLC0415 - imports the sandboxes

    run_in_background(lambda: sandbox_for(use_docker))


def is_docker_running() -> bool:
    """Whether a Docker engine answers."""
    from symposia.v02._docker_request import missing_engine  # noqa: PLC0415 - imports the sandboxes

    return run_in_background(missing_engine) is None


def in_docker_container() -> bool:
    """Whether this program runs in a Docker container."""
    from symposia.v02._docker_request import is_in_container  # noqa: PLC0415 - imports the sandboxes

    return is_in_container()


def create_virtual_env(dir_path: str, **env_args: Any) -> SimpleNamespace:  # Any: the arguments of `EnvBuilder`
    """Make a virtual environment, and return what a `LocalCommandLineCodeExecutor` takes as its context.

    Args:
        dir_path: Its folder.
        env_args: The arguments of `venv.EnvBuilder`; it has pip unless they say otherwise.
    """
    options: dict[str, Any] = {"with_pip": True, **env_args}
    builder = venv.EnvBuilder(**options)
    builder.create(dir_path)
    return builder.ensure_directories(dir_path)


def get_powershell_command() -> str:
    """The name of PowerShell's command on this machine.

    Raises:
        FileNotFoundError: It is not installed.
    """
    names: Sequence[str] = ("powershell", "pwsh") if sys.platform == "win32" else ("pwsh",)
    found = next((name for name in names if shutil.which(name)), None)
    if found is None:
        raise FileNotFoundError(f"PowerShell is not installed: no {' or '.join(names)} is on PATH.")
    return found
