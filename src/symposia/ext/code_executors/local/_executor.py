"""AutoGen's local executor, which runs code on this machine without a sandbox."""

from __future__ import annotations

import asyncio
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, Self, cast

from symposia._program_line import level_outside
from symposia.core import code_is_trusted
from symposia.core.code_executor import Artifact, OutputListener, SandboxPolicy, SandboxResult, UserFunction
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext._variables import harmless_environment
from symposia.ext.code_executors._blocks import PlannedBlock, RefusedBlockError
from symposia.ext.code_executors._choice import AutoBackend
from symposia.ext.code_executors._command_line import CommandLineCodeExecutor
from symposia.ext.code_executors._executor import refuse_in_json, refuse_without_sandbox
from symposia.ext.code_executors._sandbox._results import make_artifact
from symposia.ext.code_executors._sandboxed import SandboxCodeExecutor
from symposia.ext.code_executors.local._process import run_process

UNSAFE: Final = (
    "LocalCommandLineCodeExecutor runs code on this machine with your user's rights: it can read, change and send "
    "whatever you can. Use DockerCommandLineCodeExecutor, BubblewrapCommandLineCodeExecutor or "
    "NamespaceCommandLineCodeExecutor for code that you have not written."
)
SANDBOXED: Final = (
    "The JSON has a LocalCommandLineCodeExecutor, which runs code on this machine. Its code runs in a sandbox instead. "
    "load_component(…, trust_code=True) runs it on this machine."
)
NOT_STATEFUL: Final = (
    "Code that runs without a sandbox keeps no variables from block to block, so its policy cannot be stateful. Take "
    "an executor on a sandbox, or JupyterCodeExecutor."
)


class LocalCommandLineCodeExecutor(CommandLineCodeExecutor):
    """Runs code blocks on this machine, without any isolation.

    Code sees the files that your user sees, and the network. What it does not get: your environment variables but for
    a few harmless ones, more time than `timeout`, and more memory of this process than the caps on its output. A
    process that leaves its group (``setsid``) keeps running; only a sandbox can end it.

    Args:
        timeout: Seconds that a block may run; everything in its process group is killed at the limit.
        work_dir: Where the code runs; made where it is missing. None: a folder of its own, removed by `stop`.
        functions: Functions of the user that the code may call. Their packages have to be installed already.
        functions_module: The module that the code imports them from, written to the work folder.
        cleanup_temp_files: Whether the source of a block that does not name its file is removed when it has run.
        virtual_env_context: What ``venv.EnvBuilder.ensure_directories`` gives: code runs with that environment's
            Python. A relative one is found when the executor first starts.
        environment: Variables for the code beside the harmless ones.
        policy: The caps on output and on the files that come back; its other limits need a sandbox.
        on_output: Called on the event loop with each piece of output as it comes.
        audit_log: A file that gets a line of JSON for each program that runs.

    Raises:
        InvalidArgumentError: The timeout is less than a second, or the policy is ``stateful``.
    """

    component_trusted_by_name = True

    def __init__(
        self,
        timeout: float = 60,
        work_dir: Path | str | None = None,
        functions: Sequence[UserFunction] = (),
        functions_module: str = "functions",
        cleanup_temp_files: bool = True,
        virtual_env_context: SimpleNamespace | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        policy: SandboxPolicy | None = None,
        on_output: OutputListener | None = None,
        audit_log: Path | str | None = None,
    ) -> None:
        super().__init__(
            work_dir=work_dir,
            timeout=timeout,
            keep_code_files=not cleanup_temp_files,
            functions=functions,
            functions_module=functions_module,
            policy=policy,
            on_output=on_output,
            audit_log=audit_log,
        )
        if self._policy.stateful:
            raise InvalidArgumentError(NOT_STATEFUL)
        warnings.warn(UNSAFE, UserWarning, stacklevel=level_outside(1))
        self._virtual_env_context = virtual_env_context
        self._virtual_env: _VirtualEnvironment | None = None
        self._environment = dict(environment or {})

    @classmethod
    def _from_config(cls, config: Any) -> Self:  # Any: as in `Component`
        if code_is_trusted():
            return super()._from_config(config)
        refuse_in_json(cls.__name__, config)
        if cls is not LocalCommandLineCodeExecutor or config.environment:
            refuse_without_sandbox(cls.__name__)
        return cast("Self", SandboxedLocalCodeExecutor(config))

    @property
    def cleanup_temp_files(self) -> bool:
        """Whether the source of a block that does not name its file is removed when it has run."""
        return not self._keep_code_files

    async def _ready(self) -> None:
        """Make the virtual environment's path absolute: a relative one on PATH would depend on the code's folder."""
        if self._virtual_env_context is not None and self._virtual_env is None:
            self._virtual_env = await asyncio.to_thread(_located, self._virtual_env_context)

    async def _run(self, planned: PlannedBlock, source: bytes) -> SandboxResult:
        del source  # it is read from the work folder
        await asyncio.to_thread(self._mark_all_seen)
        interpreter = self._interpreter(planned)
        try:
            result = await run_process(
                [interpreter, planned.argument],
                folder=self._folder.absolute,
                environment=self._scrubbed_environment(),
                time_limit=self._timeout,
                limits=self._policy,
                on_output=self._pass_on,
            )
        except FileNotFoundError as error:
            raise RefusedBlockError(f"{interpreter} is not installed on this machine.") from error
        return await asyncio.to_thread(self._with_artifacts, result)

    async def _close(self) -> None:
        """Nothing outlives its block."""

    def _interpreter(self, planned: PlannedBlock) -> str:
        if planned.interpreter != "python":
            return planned.interpreter
        return sys.executable if self._virtual_env is None else str(self._virtual_env.executable)

    def _scrubbed_environment(self) -> dict[str, str]:
        inherited = harmless_environment()
        fixed = {"MPLBACKEND": "Agg", "PYTHONUNBUFFERED": "1"}  # what was printed before a kill has left the process
        first = Path(sys.executable).parent
        if self._virtual_env is not None:
            first = self._virtual_env.programs
            fixed["VIRTUAL_ENV"] = str(first.parent)
        path = f"{first}{os.pathsep}{inherited.get('PATH', os.defpath)}"
        return {**inherited, **fixed, "PATH": path, **self._environment}

    def _mark_all_seen(self) -> None:
        for file in self._folder.changed():
            self._folder.mark_seen(file)

    def _with_artifacts(self, result: SandboxResult) -> SandboxResult:
        """Read what the block made or changed, within the policy's caps."""
        artifacts: list[Artifact] = []
        skipped: list[tuple[str, str]] = []
        left = self._policy.artifact_bytes
        for file in self._folder.changed():
            if len(artifacts) >= self._policy.artifacts or file.state.size > left:
                skipped.append((str(file.path), "too many files" if file.state.size <= left else "too large"))
                continue
            data = self._folder.read(file.path, left)
            left -= len(data)
            artifacts.append(make_artifact(str(file.path), data))
        return replace(result, artifacts=tuple(artifacts), artifacts_skipped=tuple(skipped))


class SandboxedLocalCodeExecutor(SandboxCodeExecutor):
    """A `LocalCommandLineCodeExecutor` from JSON that is not trusted: its code runs in a sandbox, with its work folder.

    Rejected: to refuse the JSON, as AutoGen and AutoGen Studio write this executor into most of theirs.

    Args:
        config: The configuration in the JSON, which it is saved with again.
    """

    def __init__(self, config: Any) -> None:  # Any: derived from the constructor of the other
        super().__init__(
            AutoBackend(),
            work_dir=config.work_dir,
            timeout=config.timeout,
            policy=config.policy,
            functions_module=config.functions_module,
            delete_tmp_files=config.cleanup_temp_files,
        )
        warnings.warn(SANDBOXED, UserWarning, stacklevel=2)
        self._config = config

    def _to_config(self) -> Any:  # Any: as above
        return self._config

    @classmethod
    def _saved_class(cls) -> type[LocalCommandLineCodeExecutor]:
        return LocalCommandLineCodeExecutor


class _VirtualEnvironment(NamedTuple):
    """The absolute paths of an environment's interpreter and programs."""

    executable: Path
    programs: Path


def _located(context: SimpleNamespace) -> _VirtualEnvironment:
    """Make the paths absolute. Links stay: by them an interpreter finds its environment."""
    return _VirtualEnvironment(Path(context.env_exe).absolute(), Path(context.bin_path).absolute())
