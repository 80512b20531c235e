"""What an agent that runs code answers: the execution, and the messages made of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from symposia.agentchat.messages import BaseChatMessage, ExecutionMessage, MultiModalMessage, TextMessage
from symposia.core import Image
from symposia.core.code_executor import BlockResult, BlockwiseCodeResult, CodeBlock, CodeResult

NO_CODE: Final = (
    "No code blocks found in the thread. Give the code to run in a Markdown block that names its language:"
    " ```python or ```sh."
)
CUT_OFF: Final = (
    "The message ended inside a code block, so that block did not run. Close each block, or give shorter code."
)
_SIGNATURE: Final = re.compile(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP", re.DOTALL)
"""How the files begin that are passed on as images: models take them as they are, so nothing decodes them here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeExecution:
    """The code that an agent found in the messages of its turn, and how it ended.

    Attributes:
        source: The agent's name.
        blocks: The code; empty if there was none.
        result: How it ended, as the executor says it: with the files and with each block's result, if the executor
            gives a `BlockwiseCodeResult`. None if there was no code, or it was not approved.
        refusal: Why the code was not approved; None if it was.
        is_cut_off: Whether a message ended inside a code block. That block did not run.
    """

    source: str
    blocks: Sequence[CodeBlock]
    result: CodeResult | None = None
    refusal: str | None = None
    is_cut_off: bool = False

    @property
    def runs(self) -> tuple[BlockResult, ...]:
        """The results block by block; of an executor that gives one result for all blocks, that one as of one block."""
        if isinstance(self.result, BlockwiseCodeResult):
            return tuple(self.result.blocks)
        if self.result is None:
            return ()
        whole = CodeBlock("\n".join(block.code for block in self.blocks), self.blocks[0].language)
        return (BlockResult.of(whole, self.result),)


@runtime_checkable
class ExecutionReport(Protocol):
    """Makes an agent's answer of an execution."""

    @property
    def message_types(self) -> Sequence[type[BaseChatMessage]]:
        """The classes of the messages that `message` makes."""
        ...

    def message(self, execution: CodeExecution) -> BaseChatMessage:
        """The answer."""
        ...


class BlockReport(ExecutionReport):
    """Answers with an `ExecutionMessage`: the results block by block, with the files that the code made.

    Args:
        no_code: The remark if there was no code to run.
        cut_off: The remark if a message ended inside a code block.
    """

    def __init__(self, *, no_code: str = NO_CODE, cut_off: str = CUT_OFF) -> None:
        self._no_code = no_code
        self._cut_off = cut_off

    @property
    def message_types(self) -> Sequence[type[BaseChatMessage]]:
        """`ExecutionMessage`."""
        return (ExecutionMessage,)

    def message(self, execution: CodeExecution) -> ExecutionMessage:
        """What each block did, and what kept code from being run."""
        return ExecutionMessage(runs=execution.runs, remark=self._remark(execution), source=execution.source)

    def _remark(self, execution: CodeExecution) -> str:
        if execution.refusal is not None:
            return denial(execution.refusal).output
        if execution.is_cut_off:
            return self._cut_off
        return "" if execution.blocks else self._no_code


def text_report(agent: str, result: CodeResult) -> TextMessage | MultiModalMessage:
    """The default answer: the output and the images of the code.

    Args:
        agent: The name of the agent.
        result: With an output in words.
    """
    content = with_images(result.output, result)
    if isinstance(content, str):
        return TextMessage(content=content, source=agent)
    return MultiModalMessage(content=content, source=agent)


def describe(result: CodeResult, asked: int) -> str:
    """The output of all blocks together, and how it ended where the output does not say so.

    Args:
        result: Of the blocks.
        asked: How many blocks were to run.
    """
    if not result.output.strip():
        text = f"The script ran but produced no output to console. The POSIX exit code was: {result.exit_code}."
        return f"{text} Print what you want to see." + _failed_block(result, asked)
    if result.exit_code == 0:
        return result.output
    text = f"The script ran, then exited with an error (POSIX exit code: {result.exit_code})\nIts output was:\n"
    return text + result.output + _failed_block(result, asked)


def _failed_block(result: CodeResult, asked: int) -> str:
    if result.exit_code == 0 or asked == 1 or not isinstance(result, BlockwiseCodeResult):
        return ""
    return f"\nThat was the output up to block {len(result.blocks)} of {asked}, which failed; no later one was run."


def denial(reason: str) -> CodeResult:
    """The result of code that was not approved."""
    return CodeResult(exit_code=1, output="Code execution was not approved." + (f" Reason: {reason}" if reason else ""))


def with_images(text: str, result: CodeResult) -> str | list[str | Image]:
    """`text`, and behind it the images that the code made, each after its name; just `text` if there are none."""
    files = result.images if isinstance(result, BlockwiseCodeResult) else []
    images = [file for file in files if _SIGNATURE.match(file.data)]
    return [text, *(piece for each in images for piece in (each.path, Image(each.data)))] if images else text
