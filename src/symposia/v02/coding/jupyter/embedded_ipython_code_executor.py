"""Runs code in a kernel of this machine."""

from __future__ import annotations

from pathlib import Path

from symposia.ext.code_executors.jupyter import JupyterCodeExecutor
from symposia.v02.coding.jupyter._kernel import KernelExecutor, checked_folder

__all__ = ["EmbeddedIPythonCodeExecutor"]


class EmbeddedIPythonCodeExecutor(KernelExecutor):
    """Runs code blocks in a Jupyter kernel on this machine, without any isolation; it warns of that.

    Args:
        timeout: Seconds that a block may run.
        kernel_name: The name of the kernel's specification.
        output_dir: The folder for the images and pages that the blocks show.

    Raises:
        ValueError: The timeout is less than a second, or the folder is not there.
        MissingExtraError: ``jupyter_client`` is not installed.
    """

    def __init__(self, *, timeout: int = 60, kernel_name: str = "python3", output_dir: Path | str = ".") -> None:
        super().__init__(
            JupyterCodeExecutor(kernel_name=kernel_name, timeout=timeout, output_dir=checked_folder(output_dir)),
            timeout=timeout,
            kernel_name=kernel_name,
            output_dir=output_dir,
        )
