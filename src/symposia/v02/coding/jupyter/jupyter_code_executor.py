"""Runs code in a kernel of a Jupyter server."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from symposia.ext.code_executors.docker_jupyter import DockerJupyterCodeExecutor
from symposia.v02.coding.jupyter._kernel import KernelExecutor, checked_folder
from symposia.v02.coding.jupyter.base import JupyterConnectable, JupyterConnectionInfo

__all__ = ["JupyterCodeExecutor"]


class JupyterCodeExecutor(KernelExecutor):
    """Runs code blocks in a kernel of a Jupyter server. The isolation is the server's.

    Args:
        jupyter_server: The server, or its address.
        kernel_name: The name of the kernel's specification.
        timeout: Seconds that a block may run.
        output_dir: The folder for the images and pages that the blocks show.

    Raises:
        ValueError: The timeout is less than a second, or the folder is not there.
        ArgumentTypeError: `jupyter_server` is neither a server nor an address.
        MissingExtraError: ``aiohttp`` is not installed.
    """

    def __init__(
        self,
        jupyter_server: JupyterConnectable | JupyterConnectionInfo,
        kernel_name: str = "python3",
        timeout: int = 60,
        output_dir: Path | str = Path(),
    ) -> None:
        super().__init__(
            DockerJupyterCodeExecutor(
                jupyter_server, kernel_name=kernel_name, timeout=timeout, output_dir=checked_folder(output_dir)
            ),
            timeout=timeout,
            kernel_name=kernel_name,
            output_dir=output_dir,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self.stop()
