"""Runs code in a Docker container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final, Self

from symposia.core.code_executor import SandboxPolicy
from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors import SandboxCodeExecutor
from symposia.ext.code_executors.docker import DockerCommandLineCodeExecutor as CoreDockerExecutor
from symposia.v02._background_loop import run_in_background
from symposia.v02._docker_request import NO_SANDBOX, another_sandbox, missing_engine
from symposia.v02.coding._command_line import CommandLineExecutor

__all__ = ["DockerCommandLineCodeExecutor"]

DEFAULT_IMAGE: Final = "python:3.11-slim"


class DockerCommandLineCodeExecutor(CommandLineExecutor):
    """Runs code blocks in one Docker container, which starts on the first use.

    The container has no network, no rights and limits: see `symposia.ext.code_executors.docker`. Where no Docker engine
    answers, another sandbox is used, with a warning. Code sees the files of `work_dir`, and its own files go there.

    Args:
        image: A stock ``python`` image, on which numpy, pandas and matplotlib are put, or one of your own.
        container_name: The container's name; made up when None.
        timeout: Seconds that a block may run.
        work_dir: The folder of the host, made where it is missing.
        bind_dir: Another folder of the host that the code sees, read-only, as ``/data/<its name>``.
        auto_remove: Only True.
        stop_container: Only True.
        execution_policies: For languages by name, whether blocks in them are run, or saved alone.
        policy: The limits of the code.
        packages: Packages that the code may import beside those of a stock image.

    Raises:
        ValueError: The timeout is less than a second, or `auto_remove` or `stop_container` is False.
        RuntimeError: No sandbox works.
    """

    LANGUAGE_ALIASES: ClassVar[dict[str, str]] = {"py": "python", "js": "javascript"}
    UNKNOWN_LANGUAGE: ClassVar[str] = "Unsupported language {}\n"

    def __init__(
        self,
        image: str = DEFAULT_IMAGE,
        container_name: str | None = None,
        timeout: int = 60,
        work_dir: Path | str = Path(),
        bind_dir: Path | str | None = None,
        auto_remove: bool = True,
        stop_container: bool = True,
        execution_policies: Mapping[str, bool] | None = None,
        *,
        policy: SandboxPolicy | None = None,
        packages: Sequence[str] = (),
    ) -> None:
        missing = run_in_background(missing_engine)
        if missing is None:
            executor: SandboxCodeExecutor = CoreDockerExecutor(
                image,
                container_name,
                timeout=timeout,
                work_dir=work_dir,
                bind_dir=bind_dir,
                auto_remove=auto_remove,
                stop_container=stop_container,
                policy=policy,
                packages=packages,
            )
        else:
            try:
                backend = run_in_background(lambda: another_sandbox(missing))
            except SandboxUnavailableError as error:
                raise RuntimeError(NO_SANDBOX.format(reason=error)) from error
            executor = SandboxCodeExecutor(
                backend, timeout=timeout, work_dir=work_dir, bind_dir=bind_dir, policy=policy, packages=packages
            )
        self._bind_dir = None if bind_dir is None else Path(bind_dir)
        super().__init__(executor, work_dir=work_dir, timeout=timeout, execution_policies=execution_policies)

    @property
    def bind_dir(self) -> Path:
        """The folder that the code sees below ``/data``; the work folder where none was given."""
        return self._bind_dir or self.work_dir

    def restart(self) -> None:
        """Start a new container, with the files of the work folder."""
        run_in_background(self._executor.restart)

    def stop(self) -> None:
        """End the container."""
        run_in_background(self._executor.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self.stop()
