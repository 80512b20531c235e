"""What all command line executors share: a block becomes a file of the work folder, and a command that runs it."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pydantic import JsonValue
from typing_extensions import override

from symposia.core.argument_checks import check_path
from symposia.core.code_executor import (
    BlockResult,
    CodeBlock,
    CodeResult,
    CommandLineCodeResult,
    OutputListener,
    SandboxPolicy,
    SandboxResult,
    UserFunction,
)
from symposia.ext.code_executors._blocks import PlannedBlock, RefusedBlockError, plan_block, printed
from symposia.ext.code_executors._executor import BlockwiseCodeExecutor
from symposia.ext.code_executors._functions import FunctionsInCode, UserFunctions
from symposia.ext.code_executors._work_folder import WorkFolder


class CommandLineCodeExecutor(FunctionsInCode, BlockwiseCodeExecutor[CommandLineCodeResult]):
    """Runs each block as a command of its own, in a work folder.

    What runs a block, and where, is up to the subclass: `_ready`, `_run` and `_close` are called by one task at a time.

    Args:
        work_dir: A folder of the host, made where it is missing. None: one of its own, removed by `stop`. A
            relative one is found when the executor first starts, and stays there when the working directory changes.
        timeout: Seconds that a block may run.
        keep_code_files: Whether the source of each block stays in the work folder, as ``tmp_code_<digest>``. A block
            that names its file in a first line ``# filename: NAME`` always stays.
        functions: Functions of the user that the code may call.
        functions_module: The module that the code imports them from, written to the work folder.
        policy: The limits of the code, as far as the place where it runs has them.
        on_output: Called on the event loop with each piece of output as it comes.
        audit_log: A file that gets a line for each block that runs; see `AuditLog`.

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
        policy: SandboxPolicy | None = None,
        on_output: OutputListener | None = None,
        audit_log: Path | str | None = None,
    ) -> None:
        check_path("work_dir", type(self).__name__, work_dir)
        super().__init__(
            WorkFolder.for_code(work_dir), timeout=timeout, policy=policy, on_output=on_output, audit_log=audit_log
        )
        self._keep_code_files = keep_code_files
        self._functions = UserFunctions(functions, functions_module)
        self._functions_written = False
        self._kept: dict[PurePosixPath, str] = {}  # sources that were written ahead of their turn; see `_keep_ahead`

    @property
    def work_dir(self) -> Path:
        """The folder of the host whose files the code sees and where its files go to."""
        return self._folder.path

    def effect_identity(self) -> dict[str, JsonValue]:
        """What decides the result of code: the class, the time limit, the functions, and what a subclass adds."""
        return {**super().effect_identity(), "functions": self._functions.digest()}

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

    @abstractmethod
    async def _ready(self) -> None:
        """Prepare what runs the blocks. The work folder exists."""

    @abstractmethod
    async def _run(self, planned: PlannedBlock, source: bytes) -> SandboxResult:
        """Run a block whose source is in the work folder. Its files stay there; nothing of it stays running.

        Raises:
            RefusedBlockError: It cannot be run.
        """

    @override
    async def _prepare(self, first: CodeBlock | None = None) -> None:
        await asyncio.to_thread(self._set_up_folder, first)
        await self._check_audit()
        await self._ready()

    def _set_up_folder(self, first: CodeBlock | None) -> None:
        self._make_folder()
        self._kept.clear()
        # One that `delete_tmp_files` removes is written when it runs: whatever happens until then, it is not left.
        if first is not None and self._keep_code_files:
            self._keep_ahead(first)

    def _keep_ahead(self, block: CodeBlock) -> None:
        """Keep the source of the first block of a call in the same visit of a worker thread: two take twice as long."""
        with suppress(RefusedBlockError, OSError):  # which its turn meets again
            planned = plan_block(block, str(self._folder.absolute))
            self._kept[planned.file] = self._keep_source(planned.file, block.code.encode("utf-8", "surrogatepass"))

    @override
    def _make_folder(self) -> bool:
        is_new = super()._make_folder()
        if self._functions and (is_new or not self._functions_written):
            self._folder.write(PurePosixPath(f"{self._functions.module}.py"), self._functions.source().encode())
            self._functions_written = True
        return is_new

    @override
    async def _run_blocks(self, blocks: Sequence[CodeBlock]) -> list[BlockResult]:
        await self._prepare(blocks[0])
        return await super()._run_blocks(blocks)

    @override
    async def _run_block(self, block: CodeBlock) -> BlockResult:
        source = block.code.encode("utf-8", "surrogatepass")
        planned = plan_block(block, str(self._folder.absolute))
        result = await self._audited(block.language, source, self._run_with_source(planned, source))
        code_file = self._folder.absolute / self._place_of(planned.file)
        return _block_result(planned, result, code_file, self._limit_met(result.status))

    @override
    def _result(self, blocks: Sequence[BlockResult]) -> CommandLineCodeResult:
        return CommandLineCodeResult.of(blocks)

    async def _run_with_source(self, planned: PlannedBlock, source: bytes) -> SandboxResult:
        try:
            not_kept = self._kept.pop(planned.file, None)
            if not_kept is None:
                not_kept = await asyncio.to_thread(self._keep_source, planned.file, source)
        except OSError as error:
            raise RefusedBlockError(
                f"{planned.file} cannot be written to {self.work_dir}: {error.strerror or error}. Make room there, make"
                " the folder writable, or give the executor another work_dir."
            ) from error
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
        output=printed(result.stdout, result.stderr, result.status, limit),
        artifacts=tuple(result.artifacts),
        artifacts_skipped=tuple(result.artifacts_skipped),
        wall_seconds=result.wall_seconds,
        stdout=result.stdout,
        stderr=result.stderr,
        cpu_seconds=result.cpu_seconds,
        peak_memory_bytes=result.peak_memory_bytes,
        ended_by=limit,
        notes=tuple(result.notes),
        connections=tuple(result.connections),
    )
