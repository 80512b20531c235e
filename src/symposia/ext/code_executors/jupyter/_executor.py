"""AutoGen's executor on a Jupyter kernel of this machine."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Self

from symposia.core.code_executor import OutputListener, SandboxPolicy
from symposia.core.exceptions import MissingExtraError
from symposia.ext.code_executors._executor import refuse_without_sandbox
from symposia.ext.code_executors._kernels._executor import KernelCodeExecutor, KernelCodeResult, largest_message
from symposia.ext.code_executors.jupyter._process import KernelProcess

UNSAFE: Final = (
    "JupyterCodeExecutor runs code on this machine with your user's rights: it can read, change and send whatever you "
    "can. Use DockerJupyterCodeExecutor, or an executor on a sandbox, for code that you have not written."
)


class JupyterCodeResult(KernelCodeResult):
    """What a list of blocks did in a kernel of this machine."""


class JupyterCodeExecutor(KernelCodeExecutor[JupyterCodeResult]):
    """Runs code blocks in a Jupyter kernel on this machine, without any isolation. Variables live from block to block.

    Code sees the files that your user sees, and the network. It runs in the working directory of the program. What it
    does not get: your environment variables but for a few harmless ones, and more time than `timeout`. A block that
    reaches it is interrupted, and the kernel is replaced where that does not help.

    Args:
        kernel_name: The name of the kernel's specification, as ``jupyter kernelspec list`` shows it.
        timeout: Seconds that a block may run.
        output_dir: The folder for the images, web pages and documents that the blocks show, made where it is missing.
            None: a temporary one, which stays if there is something in it.
        policy: The caps on output and on files; its other limits need a sandbox.
        on_output: Called on the event loop with each piece of output as it comes.
        audit_log: A file that gets a line of JSON for each block that runs; not in `output_dir`.

    Raises:
        ArgumentTypeError: The timeout is not a number.
        InvalidArgumentError: The timeout is less than a second.
        MissingExtraError: ``jupyter_client`` is not installed.
    """

    component_trusted_by_name = True

    def __init__(
        self,
        kernel_name: str = "python3",
        timeout: float = 60,
        output_dir: Path | str | None = None,
        *,
        policy: SandboxPolicy | None = None,
        on_output: OutputListener | None = None,
        audit_log: Path | str | None = None,
    ) -> None:
        if find_spec("jupyter_client") is None:
            raise MissingExtraError(type(self).__name__, "jupyter")
        super().__init__(
            JupyterCodeResult,
            kernel_name=kernel_name,
            timeout=timeout,
            output_dir=output_dir,
            policy=policy,
            on_output=on_output,
            audit_log=audit_log,
        )
        warnings.warn(UNSAFE, UserWarning, stacklevel=2)

    @classmethod
    def _from_config(cls, config: Any) -> Self:  # Any: as in `Component`
        refuse_without_sandbox(cls.__name__)
        return super()._from_config(config)

    async def _start_kernel(self) -> KernelProcess:
        return await KernelProcess.start(self._kernel_name, largest_message(self._policy))
