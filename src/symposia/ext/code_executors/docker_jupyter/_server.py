"""A Jupyter server in a hardened Docker container."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from symposia.core.code_executor import MIB, SandboxPolicy
from symposia.core.exceptions import InvalidArgumentError, MissingExtraError
from symposia.ext.code_executors.docker import ContainerService, ServiceProgram, jupyter_program
from symposia.ext.code_executors.docker_jupyter._client import JupyterClient, JupyterConnectionInfo

ALWAYS_REMOVED: Final = "{name}=False is not possible: a container never outlives the program. Leave {name} out."
HOST: Final = "127.0.0.1"
DEFAULT_POLICY: Final = SandboxPolicy(memory_bytes=1024 * MIB, processes=256, open_files=1024)
"""More than a sandbox for single blocks has: the server, and each kernel, run a dozen threads."""
TOKEN_VARIABLES: Final = ("TOKEN", "JUPYTER_TOKEN", "KG_AUTH_TOKEN")
"""What images of Jupyter servers and kernel gateways read their token from."""


class GeneratedToken:
    """Stands for a token that is made up, as None does."""


class DockerJupyterServer:
    """A Jupyter server in a Docker container: no network, no root, no capabilities, a read-only root, and limits.

    The container starts with ``async with``, `start`, `get_client`, or the executor that is given the server. It ends
    with `stop`, and with the program, however that ends. It is reached through a port of loopback.

    Args:
        custom_image_name: An image of your own, whose own command is run, with the token in the variables ``TOKEN``,
            ``JUPYTER_TOKEN`` and ``KG_AUTH_TOKEN``. It needs a ``python3``. None: one with Jupyter, numpy, pandas and
            matplotlib, which the first server makes.
        container_name: The container's name; made up when None.
        auto_remove: Only True.
        stop_container: Only True.
        docker_env: Variables for the server and the code.
        expose_port: Where the server listens in the container.
        token: The token of the server; made up when None.
        work_dir: The folder in the container in which code runs, in memory.
        bind_dir: A folder of the host in its place, which the code can write to. It runs as the folder's owner, or as
            user 1000 where that is root. Open what it leaves there with care: a link may lead anywhere.
        policy: The limits of the container.

    Raises:
        InvalidArgumentError: `auto_remove` or `stop_container` is False.
        MissingExtraError: The ``docker`` SDK is not installed.
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
        expose_port: int = 8888,
        token: str | GeneratedToken | None = None,
        work_dir: Path | str = "/workspace",
        bind_dir: Path | str | None = None,
        policy: SandboxPolicy | None = None,
    ) -> None:
        if find_spec("docker") is None:
            raise MissingExtraError(type(self).__name__, "docker-jupyter")
        for name, value in (("auto_remove", auto_remove), ("stop_container", stop_container)):
            if not value:
                raise InvalidArgumentError(ALWAYS_REMOVED.format(name=name))
        self._image = custom_image_name
        self._container_name = container_name
        self._environment = dict(docker_env or {})
        self._inner_port = expose_port
        self._token = token if isinstance(token, str) else secrets.token_hex(32)
        self._work_dir = str(work_dir)
        self._bind_dir = None if bind_dir is None else Path(bind_dir)
        self._policy = policy or DEFAULT_POLICY
        self._starting = asyncio.Lock()
        self._service: ContainerService | None = None
        self._port = 0
        self._listener: socket.socket | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def connection_info(self) -> JupyterConnectionInfo:
        """The address of the server, which answers from `start` on."""
        self._bind()
        return JupyterConnectionInfo(host=HOST, use_https=False, port=self._port, token=self._token)

    async def start(self) -> None:
        """Start the container. Starting twice is harmless.

        Raises:
            SandboxUnavailableError: The engine cannot be used, the image cannot be made, or the server does not start.
        """
        async with self._starting:
            if self._service is not None and not self._service.is_alive:
                await self._end()
            if self._service is None:
                self._service = await ContainerService.start(await self._program(), self._policy, self._bind())

    async def get_client(self) -> JupyterClient:
        """Start the container, and return a client of the server."""
        await self.start()
        return JupyterClient(self.connection_info)

    async def stop(self) -> None:
        """Remove the container, and everything in it. Stopping twice is harmless; a later start makes another one."""
        async with self._starting:
            await self._end()

    async def _end(self) -> None:
        service, self._service = self._service, None
        if service is not None:
            await service.close()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    def _bind(self) -> socket.socket:
        """Choose the port. It is bound before the start, so that the address is known, and listened at from then on."""
        if self._listener is None:
            self._listener = socket.socket()
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((HOST, self._port))  # the same one as before, after a stop
            self._port = self._listener.getsockname()[1]
        return self._listener

    async def _program(self) -> ServiceProgram:
        return replace(
            await jupyter_program(self._image, self._inner_port),
            environment={**dict.fromkeys(TOKEN_VARIABLES, self._token), **self._environment},
            work_folder=self._work_dir,
            shared_folder=self._bind_dir,
            container_name=self._container_name,
        )
