"""What the executors on a kernel share: cells run one after another, and their outputs become one result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from symposia.core import CancellationToken
from symposia.core.code_executor import BlockResult, BlockwiseCodeResult, CodeResult, execute_code
from symposia.core.code_executor import CodeBlock as CoreCodeBlock
from symposia.core.code_executor import CodeExecutor as CoreCodeExecutor
from symposia.v02._background_loop import run_in_background
from symposia.v02._pinned import PinnedCodeExecutor
from symposia.v02.coding.base import CodeBlock, CodeExtractor, IPythonCodeResult
from symposia.v02.coding.markdown_code_extractor import MarkdownCodeExtractor
from symposia.v02.coding.utils import silence_pip

SAVED: Final = {".png": "Image data", ".html": "HTML data"}
"""What the output calls the files that cells have shown, by their suffix."""


class KernelExecutor:
    """Runs code blocks as cells of one kernel, whose variables live from block to block.

    Args:
        executor: Runs the cells.
        timeout: Seconds that a block may run.
        kernel_name: The name of the kernel's specification.
        output_dir: The folder for what the cells show.
    """

    def __init__(self, executor: CoreCodeExecutor, *, timeout: float, kernel_name: str, output_dir: Path | str) -> None:
        self._executor = PinnedCodeExecutor(executor)
        self.timeout = timeout
        self.kernel_name = kernel_name
        self.output_dir = str(output_dir)

    @property
    def code_extractor(self) -> CodeExtractor:
        """Finds the fenced blocks of Markdown."""
        return MarkdownCodeExtractor()

    def execute_code_blocks(self, code_blocks: list[CodeBlock]) -> IPythonCodeResult:
        """Run the blocks in order, up to the first that fails.

        Raises:
            SandboxError: The kernel cannot be started.
        """
        return run_in_background(lambda: self.a_execute_code_blocks(code_blocks))

    async def a_execute_code_blocks(self, code_blocks: list[CodeBlock]) -> IPythonCodeResult:
        """Run the blocks like `execute_code_blocks`, without blocking the event loop."""
        if not code_blocks:
            return IPythonCodeResult(exit_code=0, output="")
        blocks = [_cell(block) for block in code_blocks]
        return _result(await execute_code(self._executor, blocks, CancellationToken()))

    def restart(self) -> None:
        """Start the kernel anew, without variables."""
        run_in_background(self._executor.restart)

    def stop(self) -> None:
        """End the kernel. The next block starts another one."""
        run_in_background(self._executor.stop)


def _cell(block: CodeBlock) -> CoreCodeBlock:
    language = block.language.lower() or "python"
    return CoreCodeBlock(code=silence_pip(block.code, "python" if language == "py" else language), language=language)


def _result(ran: CodeResult) -> IPythonCodeResult:
    blocks: Sequence[BlockResult] = ran.blocks if isinstance(ran, BlockwiseCodeResult) else ()
    files = [str(file) for file in getattr(ran, "output_files", [])]
    if ran.exit_code != 0:
        output = blocks[-1].output if blocks else ran.output
        return IPythonCodeResult(exit_code=1, output=f"ERROR: {output}", output_files=files)
    return IPythonCodeResult(
        exit_code=0, output="\n".join([*_outputs(blocks, ran), *_saved(files)]), output_files=files
    )


def _outputs(blocks: Sequence[BlockResult], ran: CodeResult) -> Iterator[str]:
    yield from (block.output for block in blocks) if blocks else (ran.output,)


def _saved(files: Sequence[str]) -> Iterator[str]:
    for file in files:
        yield f"{SAVED.get(Path(file).suffix, 'Data')} saved to {file}"


def checked_folder(folder: Path | str) -> Path:
    """The folder for what cells show, which has to be there.

    Raises:
        ValueError: It is not.
    """
    if not Path(folder).is_dir():
        raise ValueError(f"Output directory {folder} does not exist.")
    return Path(folder)
