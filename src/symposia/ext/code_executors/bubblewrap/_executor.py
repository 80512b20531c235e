from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from symposia.core.code_executor import OutputListener, SandboxPolicy, UserFunction
from symposia.ext.code_executors._sandboxed import SandboxCodeExecutor, bound
from symposia.ext.code_executors.bubblewrap._backend import BubblewrapBackend


class BubblewrapCommandLineCodeExecutor(SandboxCodeExecutor):
    """Runs code blocks in a bubblewrap sandbox, which starts on the first use. Needs the program ``bwrap``.

    Args:
        timeout: Seconds that a block may run.
        work_dir: The folder of the host whose files the code sees and where its files go to; made where it is missing.
            None: a folder of its own, removed by `stop`.
        bind_dir: An existing folder of the host that the code sees, read-only, as ``/data/<its name>``.
        functions: Functions of the user that the code may call. Of their packages, nothing is installed.
        functions_module: The module that the code imports them from, written to the work folder.
        init_command: A shell command that runs in each new sandbox before the first block.
        delete_tmp_files: Whether the source of a block that does not name its file is removed when it has run.
        policy: What the code may use.
        on_output: Called on the event loop with each piece of output as it comes.

    Raises:
        InvalidArgumentError: The timeout is less than a second, or a function needs a package that is not there.
    """

    def __init__(
        self,
        *,
        timeout: float = 60,
        work_dir: Path | str | None = None,
        bind_dir: Path | str | None = None,
        functions: Sequence[UserFunction] = (),
        functions_module: str = "functions",
        init_command: str | None = None,
        delete_tmp_files: bool = False,
        policy: SandboxPolicy | None = None,
        on_output: OutputListener | None = None,
    ) -> None:
        super().__init__(
            BubblewrapBackend(),
            work_dir=work_dir,
            timeout=timeout,
            policy=policy,
            mounts=bound(bind_dir, work_dir),
            on_output=on_output,
            keep_code_files=not delete_tmp_files,
            init_command=init_command,
            functions=functions,
            functions_module=functions_module,
        )
