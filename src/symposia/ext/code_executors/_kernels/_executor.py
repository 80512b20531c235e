"""A code executor on a Jupyter kernel: one interpreter for all blocks, in which variables live on.

What ends a cell at a limit, and when it is cancelled, is one procedure: the kernel is interrupted, as by Ctrl-C, which
keeps its variables; a kernel that has not obeyed two seconds later is killed, and the next block starts a new one.
Killing at once was rejected, since one slow block would lose the work of all blocks before it.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from abc import abstractmethod
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Generic, Protocol, TypeVar

from pydantic import JsonValue
from typing_extensions import override

from symposia.core import uninterrupted
from symposia.core.argument_checks import check_path
from symposia.core.code_executor import (
    Artifact,
    BlockResult,
    BlockwiseCodeResult,
    CodeBlock,
    CodeResult,
    OutputListener,
    RunStatus,
    SandboxPolicy,
)
from symposia.core.exceptions import SandboxDiedError, SandboxError, UsageError
from symposia.ext.code_executors._blocks import INTERPRETERS, ending, unknown_language
from symposia.ext.code_executors._executor import KILLED, BlockwiseCodeExecutor, policy_digest
from symposia.ext.code_executors._kernels._cell import CellOutput, KernelMessage
from symposia.ext.code_executors._sandbox._results import TIMEOUT_EXIT_CODE, make_artifact
from symposia.ext.code_executors._work_folder import WorkFolder

INTERRUPT_SECONDS: Final = 2.0
"""For a cell that was interrupted to end by itself; most do within milliseconds."""
REQUEST_SECONDS: Final = 5.0
"""For the request to interrupt it to reach a kernel elsewhere."""
REPLACED: Final = "The kernel was ended, and the next block gets a new one: variables and imports are gone."
DIED: Final = f"The kernel died in the middle of the block. {REPLACED}"
ALSO_PYTHON: Final = frozenset({"", "ipython", "ipython3"})


class Kernel(Protocol):
    """A running kernel, which runs one cell at a time."""

    @property
    def language(self) -> str:
        """What its cells are written in, in small letters."""
        ...

    def execute(self, code: str) -> AsyncGenerator[KernelMessage, None]:
        """Run a cell, and yield what it says until the cell has ended.

        Raises:
            SandboxDiedError: The kernel ended.
        """
        ...

    async def is_alive(self) -> bool:
        """Whether it can run a cell."""
        ...

    async def interrupt(self) -> None:
        """Interrupt the cell, as Ctrl-C does."""
        ...

    async def close(self) -> None:
        """Kill the kernel and all that it started. Closing twice is harmless."""
        ...


@dataclass
class KernelCodeResult(BlockwiseCodeResult):
    """What a list of blocks did in a kernel.

    Attributes:
        output_files: Where the images, web pages and documents are that the blocks have shown.
    """

    output_files: list[Path]


ResultT = TypeVar("ResultT", bound=KernelCodeResult)


class KernelCodeExecutor(BlockwiseCodeExecutor[ResultT], Generic[ResultT]):
    """Runs code blocks as cells of one Jupyter kernel, which starts on the first use.

    A block that reaches a limit is interrupted, which keeps the variables; where that does not help, the kernel is
    replaced. Shell blocks run through the magics of a Python kernel.

    Args:
        result_type: The class of its results.
        kernel_name: The name of the kernel's specification.
        timeout: Seconds that a block may run.
        output_dir: The folder of the host for what the blocks show, made where it is missing. None: a temporary one,
            which stays if there is something in it.
        policy: The caps on output and files, and the limits of the kernel where it is in a sandbox.
        on_output: Called on the event loop with each piece of output as it comes.
        audit_log: A file that gets a line of JSON for each block that runs.

    Raises:
        ArgumentTypeError: The timeout is not a number.
        InvalidArgumentError: The timeout is less than a second.
    """

    def __init__(
        self,
        result_type: type[ResultT],
        *,
        kernel_name: str,
        timeout: float,
        output_dir: Path | str | None,
        policy: SandboxPolicy | None,
        on_output: OutputListener | None,
        audit_log: Path | str | None,
    ) -> None:
        check_path("output_dir", type(self).__name__, output_dir)
        super().__init__(
            WorkFolder.for_results(output_dir),
            timeout=timeout,
            policy=policy,
            on_output=on_output,
            audit_log=audit_log,
        )
        self._result_type = result_type
        self._kernel_name = kernel_name
        self._kernel: Kernel | None = None

    @property
    def output_dir(self) -> Path:
        """The folder of the host for what the blocks show."""
        return self._folder.path

    @abstractmethod
    async def _start_kernel(self) -> Kernel:
        """Start a kernel, and return when it can run a cell.

        Raises:
            SandboxUnavailableError: It cannot start.
        """

    def effect_identity(self) -> dict[str, JsonValue]:
        """What decides the result of code: the class, the kernel, the time limit and the policy."""
        return {
            **super().effect_identity(),
            "kernel_name": self._kernel_name,
            "policy": policy_digest(self._policy),
        }

    async def restore(self, result: CodeResult) -> None:
        """Put the files of a recorded result into the folder. The variables of its blocks are not there.

        Args:
            result: What `execute_code_blocks` returned, here or elsewhere.
        """
        if isinstance(result, BlockwiseCodeResult):
            async with self._calls.turn():
                await asyncio.to_thread(self._write, result.artifacts)

    @override
    async def _prepare(self) -> None:
        await self._ready()

    async def _ready(self) -> Kernel:
        await asyncio.to_thread(self._make_folder)
        await self._check_audit()
        if self._kernel is not None and not await self._kernel.is_alive():
            await self._close()
        if self._kernel is None:
            self._kernel = await self._start_kernel()
        return self._kernel

    @override
    async def _close(self) -> None:
        kernel, self._kernel = self._kernel, None
        if kernel is not None:
            await kernel.close()

    @override
    def _abandon(self) -> None:
        # Its sockets belong to the loop that has ended, and would make the garbage collector wait for ever.
        if self._kernel is not None:
            raise UsageError(
                "The event loop of the kernel was closed without loop.shutdown_asyncgens(), which ends the kernel. Use "
                "asyncio.run, or stop the executor before its loop is closed."
            )

    @override
    async def _run_block(self, block: CodeBlock) -> BlockResult:
        kernel = await self._ready()  # before each block: a kernel can also end after one
        source = cell_source(block, kernel.language)
        if source is None:
            raise unknown_language(block, INTERPRETERS if kernel.language == "python" else [kernel.language])
        code = block.code.encode("utf-8", "surrogatepass")
        return await self._audited(block.language, code, self._run_cell(kernel, block, source))

    @override
    def _result(self, blocks: Sequence[BlockResult]) -> ResultT:
        return self._result_type(
            blocks[-1].exit_code,
            "\n".join(each.output for each in blocks),
            [self._folder.absolute / artifact.path for each in blocks for artifact in each.artifacts],
            blocks=tuple(blocks),
        )

    async def _run_cell(self, kernel: Kernel, block: CodeBlock, source: str) -> BlockResult:
        output = CellOutput(self._policy, self._pass_on)
        enough = asyncio.Event()
        started = time.monotonic()
        cell = asyncio.ensure_future(_consume(kernel, source, output, enough))
        full = asyncio.ensure_future(enough.wait())
        try:
            await asyncio.wait([cell, full], timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED)
            status, note = await self._ending(kernel, cell, output)
        except asyncio.CancelledError:
            await uninterrupted(self._interrupt(kernel, cell, output))
            raise
        finally:
            full.cancel()
        artifacts, skipped = await asyncio.to_thread(self._save, output)
        limit = self._limit_met(status)
        last_lines = "".join(f"\n{line}" for line in (ending(status, limit), note) if line)
        return BlockResult(
            block=block,
            code_file=None,
            status=status,
            exit_code=_EXIT_CODES.get(status, KILLED),
            output=output.text() + last_lines,
            artifacts=artifacts,
            artifacts_skipped=skipped,
            wall_seconds=time.monotonic() - started,
            stdout=output.stream_text("stdout"),
            stderr=output.stream_text("stderr"),
            ended_by=limit,
        )

    async def _ending(self, kernel: Kernel, cell: asyncio.Future[None], output: CellOutput) -> tuple[RunStatus, str]:
        """How the cell ended, and what else its author should know. It is interrupted here if it has not ended."""
        if output.is_too_much:
            return "output_limit", await self._interrupt(kernel, cell, output)
        if not cell.done():
            return "timeout", await self._interrupt(kernel, cell, output)
        try:
            cell.result()
        except SandboxDiedError:
            await self._close()
            return "crashed", DIED
        return ("error" if output.failed else "ok"), ""

    async def _interrupt(self, kernel: Kernel, cell: asyncio.Future[None], output: CellOutput) -> str:
        """End the cell, and return what its author should know: that the kernel had to be ended, or nothing."""
        output.interrupted = True
        with suppress(TimeoutError, SandboxError):
            async with asyncio.timeout(REQUEST_SECONDS):
                await kernel.interrupt()
            await asyncio.wait([cell], timeout=INTERRUPT_SECONDS)
        if cell.done() and not cell.cancelled() and cell.exception() is None:
            return ""
        cell.cancel()
        with suppress(asyncio.CancelledError, SandboxDiedError):
            await cell
        await self._close()
        return REPLACED

    def _save(self, output: CellOutput) -> tuple[tuple[Artifact, ...], tuple[tuple[str, str], ...]]:
        """Write what the cell showed. Names are made up: a kernel has no say in where the host writes."""
        artifacts = tuple(make_artifact(f"{secrets.token_hex(16)}{suffix}", data) for suffix, data in output.files)
        skipped = self._write(artifacts)
        left = {path for path, _ in skipped}
        return tuple(each for each in artifacts if each.path not in left), (*output.skipped, *skipped)

    def _write(self, artifacts: Sequence[Artifact]) -> list[tuple[str, str]]:
        """Write files into the folder, and return those that cannot be written, with the reasons."""
        skipped: list[tuple[str, str]] = []
        for artifact in artifacts:
            try:
                self._folder.create()
                self._folder.write(PurePosixPath(artifact.path), artifact.data)
            except (OSError, ValueError) as error:
                skipped.append((artifact.path, f"cannot be written to {self.output_dir}: {error}"))
        return skipped


_EXIT_CODES: Final[dict[RunStatus, int]] = {"ok": 0, "error": 1, "timeout": TIMEOUT_EXIT_CODE}


def cell_source(block: CodeBlock, language: str) -> str | None:
    """The text of the cell that runs a block; None where the kernel has no language for it.

    Args:
        block: The block.
        language: The kernel's.
    """
    wanted = block.language.strip().lower()
    interpreter = INTERPRETERS.get(wanted)
    if wanted == language or (language == "python" and (wanted in ALSO_PYTHON or interpreter == "python")):
        return block.code
    if language == "python" and interpreter is not None:
        return f"%%script {interpreter}\n{block.code}"
    return None


def largest_message(policy: SandboxPolicy) -> int:
    """Bytes of a message of a kernel that a policy allows: all output in one, or all files in base64."""
    return policy.output_limit_bytes + 2 * policy.artifact_bytes


async def _consume(kernel: Kernel, source: str, output: CellOutput, enough: asyncio.Event) -> None:
    async with aclosing(kernel.execute(source)) as messages:
        async for message in messages:
            output.add(message)
            if output.is_too_much:
                enough.set()
