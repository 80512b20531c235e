"""The kernels of a Jupyter server, for programs that run cells themselves."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from symposia.ext.code_executors.docker_jupyter import ExecutionResult
from symposia.ext.code_executors.docker_jupyter import JupyterClient as Client
from symposia.ext.code_executors.docker_jupyter import JupyterKernelClient as KernelClient
from symposia.v02._background_loop import await_in_home_loop, close_in_background, run_in_background
from symposia.v02.coding.jupyter.base import JupyterConnectionInfo

__all__ = ["JupyterClient", "JupyterKernelClient"]

T = TypeVar("T")


class JupyterClient:
    """Starts, lists and ends the kernels of a Jupyter server.

    Args:
        connection_info: Where the server is.

    Raises:
        MissingExtraError: ``aiohttp`` is not installed.
        SandboxServiceError: With any method: the server cannot be reached, or refuses.
    """

    def __init__(self, connection_info: JupyterConnectionInfo) -> None:
        self._client = Client(connection_info)
        close_in_background(self, self._client.close)

    def list_kernel_specs(self) -> dict[str, Any]:  # Any: JSON
        """The specifications of kernels, as the server answers."""
        return _wait(self._client.list_kernel_specs)

    def list_kernels(self) -> list[dict[str, Any]]:  # Any: JSON
        """The kernels, as the server answers."""
        return _wait(self._client.list_kernels)

    def start_kernel(self, kernel_spec_name: str) -> str:
        """Start a kernel, and return its id."""
        return _wait(lambda: self._client.start_kernel(kernel_spec_name))

    def delete_kernel(self, kernel_id: str) -> None:
        """End a kernel."""
        _wait(lambda: self._client.delete_kernel(kernel_id))

    def restart_kernel(self, kernel_id: str) -> None:
        """Start a kernel anew, without variables."""
        _wait(lambda: self._client.restart_kernel(kernel_id))

    def get_kernel_client(self, kernel_id: str) -> JupyterKernelClient:
        """A connection to a kernel, to be stopped."""
        return JupyterKernelClient(_wait(lambda: self._client.get_kernel_client(kernel_id)))


class JupyterKernelClient:
    """Runs cells in a kernel. Use it as a context manager, or call `stop`.

    Args:
        client: The connection, of `JupyterClient.get_kernel_client`.
    """

    ExecutionResult = ExecutionResult

    def __init__(self, client: KernelClient) -> None:
        self._client = client
        close_in_background(self, client.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the connection. The kernel goes on."""
        _wait(self._client.stop)

    def wait_for_ready(self, timeout_seconds: float | None = None) -> bool:
        """Whether the kernel answers within a time in seconds; without one, it is waited for."""
        return _wait(lambda: self._client.wait_for_ready(timeout_seconds))

    def execute(self, code: str, timeout_seconds: float | None = None) -> ExecutionResult:
        """Run a cell, for a time in seconds; without one, until it ends."""
        return _wait(lambda: self._client.execute(code, timeout_seconds))


def _wait(make_coroutine: Callable[[], Coroutine[Any, Any, T]]) -> T:  # Any: it yields nothing that matters here
    """Run a coroutine in the loop to which the connections belong."""
    return run_in_background(lambda: await_in_home_loop(make_coroutine))
