"""AutoGen's executor on a kernel of a Jupyter server, in a Docker container or elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, cast

from typing_extensions import override

from symposia.core import uninterrupted
from symposia.core.code_executor import OutputListener, SandboxPolicy
from symposia.core.exceptions import (
    ArgumentTypeError,
    SandboxError,
    SandboxServiceError,
    SandboxUnavailableError,
)
from symposia.ext.code_executors._kernels._cell import KernelMessage
from symposia.ext.code_executors._kernels._executor import KernelCodeExecutor, KernelCodeResult
from symposia.ext.code_executors.docker_jupyter._client import (
    JupyterClient,
    JupyterConnectable,
    JupyterConnectionInfo,
    JupyterKernelClient,
)
from symposia.ext.code_executors.docker_jupyter._server import DockerJupyterServer

START_SECONDS: Final = 60.0
RESTART_PAUSES: Final = (0.1, 0.3, 0.6, 1.0, 1.0)
"""Seconds between attempts to delete a kernel that its server starts anew, which takes it a second or two."""

NOT_READY: Final = "The Jupyter kernel {name!r} did not answer within {seconds:g} s."


class DockerJupyterCodeResult(KernelCodeResult):
    """What a list of blocks did in a kernel of a Jupyter server."""


class DockerJupyterCodeExecutor(KernelCodeExecutor[DockerJupyterCodeResult]):
    """Runs code blocks in a kernel of a Jupyter server. Variables live from block to block.

    The isolation is the server's: a `DockerJupyterServer` is a hardened container, which the executor starts if it does
    not run yet; an address of your own (`JupyterConnectionInfo`) is taken as it is.

    Args:
        jupyter_server: The server, or its address.
        kernel_name: The name of the kernel's specification.
        timeout: Seconds that a block may run.
        output_dir: The folder of the host for the images, web pages and documents that the blocks show, made where it
            is missing. None: a temporary one, which stays if there is something in it.
        policy: The caps on output and on files.
        on_output: Called on the event loop with each piece of output as it comes.
        audit_log: A file that gets a line of JSON for each block that runs; not in `output_dir`.

    Raises:
        ArgumentTypeError: `jupyter_server` is neither a server nor an address, or the timeout is not a number.
        InvalidArgumentError: The timeout is less than a second.
        MissingExtraError: ``aiohttp`` is not installed.
    """

    def __init__(
        self,
        jupyter_server: JupyterConnectable | JupyterConnectionInfo,
        kernel_name: str = "python3",
        timeout: float = 60,
        output_dir: Path | str | None = None,
        *,
        policy: SandboxPolicy | None = None,
        on_output: OutputListener | None = None,
        audit_log: Path | str | None = None,
    ) -> None:
        if not hasattr(jupyter_server, "connection_info") and not isinstance(jupyter_server, JupyterConnectionInfo):
            raise ArgumentTypeError(
                f"jupyter_server is {jupyter_server!r}: give a DockerJupyterServer or a JupyterConnectionInfo."
            )
        super().__init__(
            DockerJupyterCodeResult,
            kernel_name=kernel_name,
            timeout=timeout,
            output_dir=output_dir,
            policy=policy,
            on_output=on_output,
            audit_log=audit_log,
        )
        self._server = jupyter_server

    @property
    @override
    def _sandbox_name(self) -> str:
        return "docker" if isinstance(self._server, DockerJupyterServer) else ""

    async def _start_kernel(self) -> RemoteKernel:
        if isinstance(self._server, DockerJupyterServer):
            await self._server.start()
        server = self._server
        info = server if isinstance(server, JupyterConnectionInfo) else server.connection_info
        client = await asyncio.to_thread(JupyterClient, info)  # looks for its library on the disk
        return await RemoteKernel.start(client, self._kernel_name, self._policy)


class RemoteKernel:
    """A `Kernel` of a Jupyter server. `start` makes one."""

    def __init__(self, client: JupyterClient, kernel: str, connection: JupyterKernelClient, language: str) -> None:
        self._client = client
        self._kernel = kernel
        self._connection = connection
        self._language = language
        self._closed = False

    @classmethod
    async def start(cls, client: JupyterClient, name: str, policy: SandboxPolicy) -> RemoteKernel:
        """Start a kernel, and wait until it answers. The client is closed with it.

        Raises:
            SandboxError: The server refuses, or does not answer.
            SandboxUnavailableError: The kernel does not answer.
        """
        try:
            language = await _language_of(client, name)
            kernel = await client.start_kernel(name)
            try:
                connection = await _connected(client, kernel, name, policy)
            except BaseException:
                with suppress(SandboxError):
                    await uninterrupted(client.delete_kernel(kernel))
                raise
        except BaseException:
            await client.close()
            raise
        return cls(client, kernel, connection, language)

    @property
    def language(self) -> str:
        """What its cells are written in; see `Kernel.language`."""
        return self._language

    def execute(self, code: str) -> AsyncGenerator[KernelMessage, None]:
        """Run a cell; see `Kernel.execute`."""
        return self._connection.messages(code)

    async def is_alive(self) -> bool:
        """Whether the connection is open; see `Kernel.is_alive`."""
        return self._connection.is_usable

    async def interrupt(self) -> None:
        """Interrupt the cell; see `Kernel.interrupt`."""
        await self._client.interrupt_kernel(self._kernel)

    async def close(self) -> None:
        """End the kernel; see `Kernel.close`. A server that is gone has ended it already."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._connection.stop()
            with suppress(SandboxError):
                await self._delete()
        finally:
            await self._client.close()

    async def _delete(self) -> None:
        # A server starts a kernel anew that has died, and fails to delete it until it has. Left alone, that one stays.
        for pause in RESTART_PAUSES:
            try:
                await self._client.delete_kernel(self._kernel)
            except SandboxServiceError as error:
                if error.status is None or error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise
                await asyncio.sleep(pause)
            else:
                return


async def _connected(client: JupyterClient, kernel: str, name: str, policy: SandboxPolicy) -> JupyterKernelClient:
    connection = await client.get_kernel_client(kernel, policy=policy)
    if not await connection.wait_for_ready(START_SECONDS):
        raise SandboxUnavailableError(NOT_READY.format(name=name, seconds=START_SECONDS))
    return connection


async def _language_of(client: JupyterClient, name: str) -> str:
    """The language of a kernel's specification.

    Raises:
        SandboxUnavailableError: The server has none of this name.
    """
    found = (await client.list_kernel_specs()).get("kernelspecs")
    specifications = cast("dict[str, dict[str, Any]]", found) if isinstance(found, dict) else {}  # Any: JSON
    if name not in specifications:
        known = ", ".join(sorted(map(str, specifications))) or "none"
        raise SandboxUnavailableError(f"The Jupyter server has no kernel named {name!r}. It has: {known}.")
    specification = specifications[name].get("spec", {})
    return str(specification.get("language", "")).lower()
