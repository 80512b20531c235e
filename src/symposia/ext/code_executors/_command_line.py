"""What all command line executors share: a work folder, a list of blocks run in order, and what comes of each."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pydantic import JsonValue

from symposia.core import CancellationToken
from symposia.core.code_executor import (
    BlockResult,
    CodeBlock,
    CodeExecutor,
    CodeResult,
    CommandLineCodeResult,
    OutputListener,
    OutputStream,
    SandboxPolicy,
    SandboxResult,
    UserFunction,
    check_code_blocks,
)
from symposia.core.effects import class_identity
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.code_executors._blocks import PlannedBlock, RefusedBlockError, plan_block, printed, refused
from symposia.ext.code_executors._calls import SerialCalls, checked_timeout
from symposia.ext.code_executors._functions import PROMPT, checked_module_name, module_source, prompt
from symposia.ext.code_executors._owners import owned_folder
from symposia.ext.code_executors._work_folder import WorkFolder


class CommandLineCodeExecutor(CodeExecutor):
    """Runs each block as a command of its own, in a work folder.

    Calls from several tasks run one after another. What runs a block, and where, is up to the subclass: `_ready`,
    `_run` and `_close` are called by one task at a time.

    Args:
        work_dir: A folder of the host, made where it is missing. None: one of its own, removed by `stop`. A
            relative one is found when the executor first starts, and stays there when the working directory changes.
        timeout: Seconds that a block may run.
        keep_code_files: Whether the source of each block stays in the work folder, as ``tmp_code_<digest>``. A block
            that names its file in a first line ``# filename: NAME`` always stays.
        functions: Functions of the user that the code may call.
        functions_module: The module that the code imports them from, written to the work folder.
        on_output: Called on the event loop with each piece of output as it comes.

    Raises:
        ArgumentTypeError: The timeout is not a number.
        InvalidArgumentError: The timeout is less than a second, or the module's name is none.
    """

    def __init__(
        self,
        *,
        work_dir: Path | str | None,
        timeout: float,
        keep_code_files: bool,
        functions: Sequence[UserFunction] = (),
        functions_module: str = "functions",
        on_output: OutputListener | None = None,
    ) -> None:
        self._timeout = checked_timeout(timeout)
        self._keep_code_files = keep_code_files
        self._own_folder = work_dir is None
        self._folder = WorkFolder(owned_folder(), private=True) if work_dir is None else WorkFolder(Path(work_dir))
        self._functions = tuple(functions)
        self._functions_module = checked_module_name(functions_module)
        self._functions_written = False
        self._on_output = on_output or _ignore_output
        self._call_listener: OutputListener = _ignore_output
        self._calls = SerialCalls()

    @property
    def timeout(self) -> float:
        """Seconds that a block may run."""
        return self._timeout

    @property
    @abstractmethod
    def policy(self) -> SandboxPolicy:
        """The limits of the code; for the time, `timeout` counts."""

    @property
    def work_dir(self) -> Path:
        """The folder of the host whose files the code sees and where its files go to."""
        return self._folder.path

    @property
    def functions(self) -> tuple[UserFunction, ...]:
        """Functions of the user that the code may call."""
        return self._functions

    @property
    def functions_module(self) -> str:
        """The module that the code imports them from."""
        return self._functions_module

    def format_functions_for_prompt(self, prompt_template: str = PROMPT) -> str:
        """Describe the functions to a model: what it can import, their signatures and docstrings.

        Args:
            prompt_template: Text in which ``$module_name`` and ``$functions`` are replaced.

        Raises:
            InvalidArgumentError: A function's source cannot be read, or two have the same name.
        """
        return prompt(self._functions, self._functions_module, prompt_template)

    async def start(self) -> None:
        """Prepare to run code; see `CodeExecutor.start`."""
        async with self._calls.turn():
            await self._prepare()

    async def stop(self) -> None:
        """End everything that the executor started, including the running block; see `CodeExecutor.stop`."""
        await self._calls.end()
        async with self._calls.turn():
            await self._close()
            if self._own_folder:
                self._functions_written = False
                await asyncio.to_thread(shutil.rmtree, self._folder.absolute, ignore_errors=True)

    async def restart(self) -> None:
        """Start again, with the files of the work folder; see `CodeExecutor.restart`."""
        async with self._calls.turn():
            await self._close()
            await self._prepare()

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CommandLineCodeResult:
        """Run the blocks in order, up to the first that fails; see `CodeExecutor.execute_code_blocks`.

        Raises:
            ArgumentTypeError: What is given is not a list of `CodeBlock`.
            InvalidArgumentError: There is no block.
            SandboxDiedError: The executor was stopped meanwhile.
            SandboxError: What runs the blocks cannot be started.
            CancelledError: The token or the caller was cancelled.
        """
        return await self.execute_with_output(code_blocks, cancellation_token, _ignore_output)

    async def execute_with_output(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken, on_output: OutputListener
    ) -> CommandLineCodeResult:
        """Run the blocks like `execute_code_blocks`, and pass on the output as it comes.

        Raises:
            ArgumentTypeError, InvalidArgumentError, SandboxDiedError, SandboxError, CancelledError: As
                `execute_code_blocks`.
        """
        check_code_blocks(code_blocks)
        if not code_blocks:
            raise InvalidArgumentError("No code blocks to execute.")
        results = await self._calls.run(lambda: self._run_all(code_blocks, on_output), cancellation_token)
        return CommandLineCodeResult.of(results)

    def effect_identity(self) -> dict[str, JsonValue]:
        """What decides the result of code: the class, the time limit, the functions, and what a subclass adds."""
        functions = module_source(self._functions) if self._functions else ""
        return {**class_identity(self), "timeout": self._timeout, "functions": digest_of(functions)}

    async def restore(self, result: CodeResult) -> None:
        """Put the files of a recorded result into the work folder, where later blocks find them.

        Args:
            result: What `execute_code_blocks` returned, here or elsewhere.
        """
        if isinstance(result, CommandLineCodeResult):
            async with self._calls.turn():
                await asyncio.to_thread(self._restore, result)

    def _restore(self, result: CommandLineCodeResult) -> None:
        self._make_folder()
        for ran in result.blocks:
            if ran.code_file is not None:
                planned = plan_block(ran.block, str(self._folder.absolute))
                if planned.named or self._keep_code_files:
                    self._put_back(planned.file, ran.block.code.encode("utf-8", "surrogatepass"))
            for artifact in ran.artifacts:
                self._put_back(PurePosixPath(artifact.path), artifact.data)

    def _put_back(self, path: PurePosixPath, data: bytes) -> None:
        """Write a file of a recorded result, which a sandbox that runs already does not have."""
        self._folder.write(path, data)
        self._folder.forget(path)

    def _keep_source(self, path: PurePosixPath, source: bytes) -> str:
        """Write the source of a block to the work folder. Returns why it is not there, empty where it is."""
        self._folder.write(path, source)
        return ""

    def _place_of(self, path: PurePosixPath) -> PurePosixPath:
        """Where in the work folder the source of a block was written that has this path for the code."""
        return path

    def _pass_on(self, stream: OutputStream, text: str) -> None:
        """Pass a piece of output to the listeners."""
        self._on_output(stream, text)
        self._call_listener(stream, text)

    @abstractmethod
    async def _ready(self) -> None:
        """Prepare what runs the blocks. The work folder exists."""

    @abstractmethod
    async def _run(self, planned: PlannedBlock, source: bytes) -> SandboxResult:
        """Run a block whose source is in the work folder. Its files stay there; nothing of it stays running.

        Raises:
            RefusedBlockError: It cannot be run.
        """

    @abstractmethod
    async def _close(self) -> None:
        """End what runs the blocks, if anything does."""

    async def _prepare(self) -> None:
        await asyncio.to_thread(self._make_folder)
        await self._ready()

    def _make_folder(self) -> None:
        self._folder.create()
        if self._functions and not self._functions_written:
            module = PurePosixPath(f"{self._functions_module}.py")
            self._folder.write(module, module_source(self._functions).encode())
            self._functions_written = True

    async def _run_all(self, blocks: Sequence[CodeBlock], on_output: OutputListener) -> list[BlockResult]:
        self._call_listener = on_output  # of this call alone: the next one waits for its turn
        await self._prepare()
        results: list[BlockResult] = []
        for block in blocks:
            results.append(await self._run_one(block))
            if results[-1].exit_code != 0:
                break
        return results

    async def _run_one(self, block: CodeBlock) -> BlockResult:
        source = block.code.encode("utf-8", "surrogatepass")
        try:
            planned = plan_block(block, str(self._folder.absolute))
            result = await self._run_with_source(planned, source)
            limit = replace(self.policy, time_limit=self._timeout).limit_met(result.status)
            code_file = self._folder.absolute / self._place_of(planned.file)
            return _block_result(planned, result, code_file, limit)
        except RefusedBlockError as error:
            return refused(block, error)

    async def _run_with_source(self, planned: PlannedBlock, source: bytes) -> SandboxResult:
        try:
            not_kept = await asyncio.to_thread(self._keep_source, planned.file, source)
        except OSError as error:
            raise RefusedBlockError(f"{planned.file} cannot be written: {error.strerror or error}") from error
        try:
            result = await self._run(planned, source)
        finally:
            if not planned.named and not self._keep_code_files and not not_kept:
                await asyncio.to_thread(self._folder.remove, planned.file)
        if not_kept:
            return replace(result, artifacts_skipped=(*result.artifacts_skipped, (str(planned.file), not_kept)))
        return result


def _block_result(planned: PlannedBlock, result: SandboxResult, code_file: Path, limit: str) -> BlockResult:
    return BlockResult(
        block=planned.block,
        code_file=str(code_file),
        status=result.status,
        exit_code=result.exit_code,
        output=printed(result.stdout, result.stderr, result.status),
        artifacts=tuple(result.artifacts),
        artifacts_skipped=tuple(result.artifacts_skipped),
        wall_seconds=result.wall_seconds,
        stdout=result.stdout,
        stderr=result.stderr,
        cpu_seconds=result.cpu_seconds,
        peak_memory_bytes=result.peak_memory_bytes,
        ended_by=limit,
        notes=tuple(result.notes),
    )


def digest_of(text: str) -> str:
    """A SHA-256 in hexadecimal digits, for the identity of an effect."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _ignore_output(_stream: OutputStream, _text: str) -> None:
    """An output listener that does nothing."""
