"""A Jupyter server in a Docker container, for plain callers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from symposia.core.code_executor import SandboxPolicy
from symposia.ext.code_executors.docker_jupyter import DockerJupyterServer as CoreDockerJupyterServer
from symposia.v02._background_loop import await_in_home_loop, run_in_background
from symposia.v02.coding.jupyter.base import GeneratedToken, JupyterConnectionInfo

__all__ = ["DockerJupyterServer"]


class DockerJupyterServer:
    """A Jupyter server in a hardened Docker container, which starts with it.

    Args:
        custom_image_name: An image of your own, whose own command is run. None: one with Jupyter, numpy, pandas and
            matplotlib, which the first server makes.
        container_name: The container's name; made up when None.
        auto_remove: Only True.
        stop_container: Only True.
        docker_env: Variables for the server and the code.
        token: The token of the server.
        bind_dir: A folder of the host in which the code works.
        policy: The limits of the container.

    Raises:
        InvalidArgumentError: `auto_remove` or `stop_container` is False.
        MissingExtraError: The ``docker`` SDK is not installed.
        SandboxUnavailableError: The engine cannot be used, or the server does not start.
    """

    GenerateToken = GeneratedToken

    def __init__(
        self,
        *,
        custom_image_name: str | None = None,
        container_name: str | None = None,
        auto_remove: bool = True,
        stop_container: bool = True,
        docker_env: Mapping[str, str] | None = None,
        token: str | GeneratedToken | None = None,
        bind_dir: Path | str | None = None,
        policy: SandboxPolicy | None = None,
    ) -> None:
        self._core = CoreDockerJupyterServer(
            custom_image_name=custom_image_name,
            container_name=container_name,
            auto_remove=auto_remove,
            stop_container=stop_container,
            docker_env=docker_env,
            token=token if isinstance(token, str) else None,
            bind_dir=bind_dir,
            policy=policy,
        )
        run_in_background(lambda: await_in_home_loop(self._core.start))

    @property
    def connection_info(self) -> JupyterConnectionInfo:
        """The address of the server."""
        return self._core.connection_info

    def stop(self) -> None:
        """Remove the container."""
        run_in_background(lambda: await_in_home_loop(self._core.stop))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self.stop()
