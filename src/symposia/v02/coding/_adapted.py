"""An executor of AutoGen 0.4 as one of 0.2."""

from __future__ import annotations

from symposia.core import CancellationToken
from symposia.core.code_executor import CodeBlock as CoreCodeBlock
from symposia.core.code_executor import CodeExecutor as CoreCodeExecutor
from symposia.core.code_executor import execute_code
from symposia.v02._background_loop import run_in_background
from symposia.v02._pinned import PinnedCodeExecutor
from symposia.v02.coding.base import CodeBlock, CodeExtractor, CodeResult
from symposia.v02.coding.markdown_code_extractor import MarkdownCodeExtractor


class AdaptedCodeExecutor:
    """Runs code blocks with an executor of AutoGen 0.4.

    Args:
        executor: The executor, which no other event loop uses.
    """

    def __init__(self, executor: CoreCodeExecutor) -> None:
        self._executor = PinnedCodeExecutor(executor)

    @property
    def code_extractor(self) -> CodeExtractor:
        """Finds the fenced blocks of Markdown."""
        return MarkdownCodeExtractor()

    def execute_code_blocks(self, code_blocks: list[CodeBlock]) -> CodeResult:
        """Run the blocks in order, up to the first that fails."""
        return run_in_background(lambda: self.a_execute_code_blocks(code_blocks))

    async def a_execute_code_blocks(self, code_blocks: list[CodeBlock]) -> CodeResult:
        """Run the blocks like `execute_code_blocks`, without blocking the event loop."""
        blocks = [CoreCodeBlock(code=block.code, language=block.language) for block in code_blocks]
        result = await execute_code(self._executor, blocks, CancellationToken())
        return CodeResult(exit_code=result.exit_code, output=result.output)

    def restart(self) -> None:
        """Start afresh."""
        run_in_background(self._executor.restart)
