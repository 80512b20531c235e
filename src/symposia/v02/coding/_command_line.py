"""What the command line executors share: blocks run one after another, and their outputs become one result."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from symposia.core import CancellationToken
from symposia.core.code_executor import BlockResult, execute_code
from symposia.core.code_executor import CodeBlock as CoreCodeBlock
from symposia.core.code_executor import CodeExecutor as CoreCodeExecutor
from symposia.v02._background_loop import run_in_background
from symposia.v02._code_text import POWERSHELLS
from symposia.v02._files import write_below
from symposia.v02._pinned import PinnedCodeExecutor
from symposia.v02.coding._plan import DEFAULT_POLICY, Planned, UnknownLanguageError, plan, runnable
from symposia.v02.coding.base import CodeBlock, CodeExtractor, CommandLineCodeResult
from symposia.v02.coding.markdown_code_extractor import MarkdownCodeExtractor


class CommandLineExecutor:
    """Runs code blocks as commands in a work folder.

    Args:
        executor: Runs single blocks.
        work_dir: The folder, as it was given.
        timeout: Seconds that a block may run.
        execution_policies: For languages by name, whether blocks in them are run, or saved alone.
    """

    DEFAULT_EXECUTION_POLICY: ClassVar[dict[str, bool]] = DEFAULT_POLICY
    LANGUAGE_ALIASES: ClassVar[dict[str, str]] = {"py": "python"}
    UNKNOWN_LANGUAGE: ClassVar[str] = "\nunknown language {}"

    def __init__(
        self,
        executor: CoreCodeExecutor,
        *,
        work_dir: Path | str,
        timeout: float,
        execution_policies: Mapping[str, bool] | None,
    ) -> None:
        self._executor = PinnedCodeExecutor(executor)
        self._work_dir = Path(work_dir)
        self._timeout = timeout
        self.execution_policies = {**self.DEFAULT_EXECUTION_POLICY, **(execution_policies or {})}

    @property
    def work_dir(self) -> Path:
        """The folder in which code runs."""
        return self._work_dir

    @property
    def timeout(self) -> float:
        """Seconds that a block may run."""
        return self._timeout

    @property
    def code_extractor(self) -> CodeExtractor:
        """Finds the fenced blocks of Markdown."""
        return MarkdownCodeExtractor()

    def execute_code_blocks(self, code_blocks: list[CodeBlock]) -> CommandLineCodeResult:
        """Run the blocks in order, up to the first that fails.

        Raises:
            ValueError: There is no block, or shell code has a command that is refused.
            SandboxError: What runs the code cannot be started.
        """
        return run_in_background(lambda: self.a_execute_code_blocks(code_blocks))

    async def a_execute_code_blocks(self, code_blocks: list[CodeBlock]) -> CommandLineCodeResult:
        """Run the blocks like `execute_code_blocks`, without blocking the event loop."""
        if not code_blocks:
            raise ValueError("No code blocks to execute.")
        results: list[CommandLineCodeResult] = []
        for block in code_blocks:
            results.append(await self._run(block))
            if results[-1].exit_code != 0:
                break
        return _sum(results)

    async def _run(self, block: CodeBlock) -> CommandLineCodeResult:
        folder = await asyncio.to_thread(self._work_dir.absolute)
        try:
            planned = plan(block, self.execution_policies, folder, self.LANGUAGE_ALIASES)
            if planned.runs and planned.language not in POWERSHELLS:
                return await self._run_planned(planned)
            saved = await asyncio.to_thread(write_below, folder, planned.saved_as, planned.code)
        except UnknownLanguageError:
            return CommandLineCodeResult(exit_code=1, output=self.UNKNOWN_LANGUAGE.format(block.language))
        except ValueError as error:
            return CommandLineCodeResult(exit_code=1, output=str(error))
        if not planned.runs:
            return CommandLineCodeResult(exit_code=0, output=f"Code saved to {saved}\n", code_file=str(saved))
        return (await self._run_planned(planned)).model_copy(update={"code_file": str(saved)})

    async def _run_planned(self, planned: Planned) -> CommandLineCodeResult:
        language, code = runnable(planned)
        block = CoreCodeBlock(code=code, language="sh" if language == "shell" else language)
        result = BlockResult.of(block, await execute_code(self._executor, [block], CancellationToken()))
        return CommandLineCodeResult(exit_code=result.exit_code, output=output_of(result), code_file=result.code_file)


def output_of(result: BlockResult) -> str:
    """What a block printed, with stderr before stdout, and a last line that names the limit that ended it."""
    if result.stdout is None:
        return result.output
    ending = result.output.removeprefix(f"{result.stdout}{result.stderr or ''}")
    return f"{result.stderr or ''}{result.stdout}" + ("\nTimeout" if result.status == "timeout" else ending)


def _sum(results: Sequence[CommandLineCodeResult]) -> CommandLineCodeResult:
    return CommandLineCodeResult(
        exit_code=results[-1].exit_code,
        output="".join(result.output for result in results),
        code_file=next((result.code_file for result in results if result.code_file), None),
    )
