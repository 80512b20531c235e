"""A code executor on a Jupyter kernel: one interpreter for all blocks, in which variables live on.

What ends a cell at a limit, and when it is cancelled, is one procedure: the kernel is interrupted, as by Ctrl-C, which
keeps its variables; a kernel that has not obeyed two seconds later is killed, and the next block starts a new one.
Killing at once was rejected, since one slow block would lose the work of all blocks before it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from abc import abstractmethod
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final, Generic, Protocol, TypeVar

from pydantic import JsonValue

from symposia.core import CancellationToken, uninterrupted
from symposia.core.code_executor import (
    Artifact,
    BlockResult,
    BlockwiseCodeResult,
    CodeBlock,
    CodeExecutor,
    CodeResult,
    OutputListener,
    OutputStream,
    RunStatus,
    SandboxPolicy,
    check_code_blocks,
)
from symposia.core.effects import class_identity
from symposia.core.exceptions import InvalidArgumentError, SandboxDiedError, SandboxError
from symposia.ext.code_executors._blocks import ENDINGS, INTERPRETERS
from symposia.ext.code_executors._calls import SerialCalls, checked_timeout
from symposia.ext.code_executors._command_line import digest_of
from symposia.ext.code_executors._kernels._cell import CellOutput, KernelMessage
from symposia.ext.code_executors._sandbox._results import TIMEOUT_EXIT_CODE, make_artifact
from symposia.ext.code_executors._work_folder import WorkFolder, remove_if_empty, unused_folder

INTERRUPT_SECONDS: Final = 2.0
"""For a cell that was interrupted to end by itself; most do within milliseconds."""
REQUEST_SECONDS: Final = 5.0
"""For the request to interrupt it to reach a kernel elsewhere."""
KILLED: Final = 137  # 128 and SIGKILL, as a shell reports a killed program
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


class KernelCodeExecutor(CodeExecutor, Generic[ResultT]):
    """Runs code blocks as cells of one Jupyter kernel, which starts on the first use.

    Calls from several tasks run one after another. A block that reaches a limit is interrupted, which keeps the
    variables; where that does not help, the kernel is replaced. Shell blocks run through the magics of a Python kernel.

    Args:
        kernel_name: The name of the kernel's specification.
        timeout: Seconds that a block may run.
        output_dir: The folder of the host for what the blocks show, made where it is missing. None: a temporary one,
            which stays if there is something in it.
        policy: The caps on output and files, and the limits of the kernel where it is in a sandbox.
        on_output: Called on the event loop with each piece of output as it comes.

    Raises:
        ArgumentTypeError: The timeout is not a number.
        InvalidArgumentError: The timeout is less than a second.
    """

    def __init__(
        self,
        *,
        kernel_name: str,
        timeout: float,
        output_dir: Path | str | None,
        policy: SandboxPolicy | None,
        on_output: OutputListener | None,
    ) -> None:
        self._kernel_name = kernel_name
        self._timeout = checked_timeout(timeout)
        self._own_folder = output_dir is None
        self._folder = WorkFolder(unused_folder(), private=True) if output_dir is None else WorkFolder(Path(output_dir))
        self._policy = policy or SandboxPolicy()
        self._on_output = on_output
        self._kernel: Kernel | None = None
        self._calls = SerialCalls()

    @property
    def timeout(self) -> float:
        """Seconds that a block may run."""
        return self._timeout

    @property
    def output_dir(self) -> Path:
        """The folder of the host for what the blocks show."""
        return self._folder.path

    @property
    def policy(self) -> SandboxPolicy:
        """The caps on output and files; for the time, `timeout` counts."""
        return self._policy

    async def execute_code_blocks(self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken) -> ResultT:
        """Run the blocks in order, up to the first that fails; see `CodeExecutor.execute_code_blocks`.

        Raises:
            ArgumentTypeError: What is given is not a list of `CodeBlock`.
            InvalidArgumentError: There is no block.
            SandboxDiedError: The executor was stopped meanwhile.
            SandboxUnavailableError: The kernel cannot start.
            CancelledError: The token or the caller was cancelled.
        """
        return await self.execute_with_output(code_blocks, cancellation_token, lambda _stream, _text: None)

    @abstractmethod
    async def _start_kernel(self) -> Kernel:
        """Start a kernel, and return when it can run a cell.

        Raises:
            SandboxUnavailableError: It cannot start.
        """

    @abstractmethod
    def _result(self, exit_code: int, output: str, files: list[Path], blocks: Sequence[BlockResult]) -> ResultT:
        """Make the executor's kind of result."""

    async def start(self) -> None:
        """Start the kernel; see `CodeExecutor.start`."""
        async with self._calls.turn():
            await self._ready()

    async def stop(self) -> None:
        """End the kernel and the running block; see `CodeExecutor.stop`."""
        await self._calls.end()
        async with self._calls.turn():
            await self._close()
            if self._own_folder:
                await asyncio.to_thread(remove_if_empty, self._folder.absolute)

    async def restart(self) -> None:
        """Replace the kernel by a new one, without variables; see `CodeExecutor.restart`."""
        async with self._calls.turn():
            await self._close()
            await self._ready()

    async def execute_with_output(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken, on_output: OutputListener
    ) -> ResultT:
        """Run the blocks like `execute_code_blocks`, and pass on the output as it comes.

        Raises:
            ArgumentTypeError, InvalidArgumentError, SandboxDiedError, SandboxUnavailableError, CancelledError: As
                `execute_code_blocks`.
        """
        check_code_blocks(code_blocks)
        if not code_blocks:
            raise InvalidArgumentError("No code blocks to execute.")
        results = await self._calls.run(lambda: self._run_all(code_blocks, on_output), cancellation_token)
        return self._result(
            results[-1].exit_code,
            "\n".join(each.output for each in results),
            [self._folder.absolute / artifact.path for each in results for artifact in each.artifacts],
            results,
        )

    def effect_identity(self) -> dict[str, JsonValue]:
        """What decides the result of code: the class, the kernel, the time limit and the policy."""
        return {
            **class_identity(self),
            "kernel_name": self._kernel_name,
            "timeout": self._timeout,
            "policy": digest_of(json.dumps(asdict(self._policy), sort_keys=True)),
        }

    async def restore(self, result: CodeResult) -> None:
        """Put the files of a recorded result into the folder. The variables of its blocks are not there.

        Args:
            result: What `execute_code_blocks` returned, here or elsewhere.
        """
        if isinstance(result, BlockwiseCodeResult):
            async with self._calls.turn():
                await asyncio.to_thread(self._write, result.artifacts)

    async def _ready(self) -> Kernel:
        await asyncio.to_thread(self._folder.create)
        if self._kernel is not None and not await self._kernel.is_alive():
            await self._close()
        if self._kernel is None:
            self._kernel = await self._start_kernel()
        return self._kernel

    async def _close(self) -> None:
        kernel, self._kernel = self._kernel, None
        if kernel is not None:
            await kernel.close()

    async def _run_all(self, blocks: Sequence[CodeBlock], on_output: OutputListener) -> list[BlockResult]:
        def listener(stream: OutputStream, text: str) -> None:
            if self._on_output is not None:
                self._on_output(stream, text)
            on_output(stream, text)

        results: list[BlockResult] = []
        for block in blocks:
            kernel = await self._ready()
            source = cell_source(block, kernel.language)
            if source is None:
                return [*results, _refused(block, kernel.language)]
            results.append(await self._run_cell(kernel, block, source, listener))
            if results[-1].exit_code != 0:
                break
        return results

    async def _run_cell(self, kernel: Kernel, block: CodeBlock, source: str, listener: OutputListener) -> BlockResult:
        output = CellOutput(self._policy, listener)
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
        ending = "".join(f"\n{line}" for line in (ENDINGS.get(status, ""), note) if line)
        return BlockResult(
            block=block,
            code_file=None,
            status=status,
            exit_code=_EXIT_CODES.get(status, KILLED),
            output=output.text() + ending,
            artifacts=artifacts,
            artifacts_skipped=skipped,
            wall_seconds=time.monotonic() - started,
            stdout=output.stream_text("stdout"),
            stderr=output.stream_text("stderr"),
            ended_by=replace(self._policy, time_limit=self._timeout).limit_met(status),
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


def _refused(block: CodeBlock, language: str) -> BlockResult:
    known = ", ".join(INTERPRETERS) if language == "python" else language
    text = f"unknown language {block.language}\nName the block as one of: {known}"
    return BlockResult(block=block, code_file=None, status="error", exit_code=1, output=text)


async def _consume(kernel: Kernel, source: str, output: CellOutput, enough: asyncio.Event) -> None:
    async with aclosing(kernel.execute(source)) as messages:
        async for message in messages:
            output.add(message)
            if output.is_too_much:
                enough.set()
