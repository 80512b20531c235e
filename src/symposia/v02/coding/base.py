"""What executors of code offer to agents: code blocks, results, and the protocols of executors and extractors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

__all__ = [
    "AsyncCodeExecutor",
    "CodeBlock",
    "CodeExecutionConfig",
    "CodeExecutor",
    "CodeExtractor",
    "CodeResult",
    "CommandLineCodeResult",
    "IPythonCodeResult",
    "MessageContent",
]

MessageContent = str | list[dict[str, Any]] | None  # Any: JSON
"""The content of a message: a text, parts, or none."""


class CodeBlock(BaseModel, defer_build=True):
    """A piece of code that was found in a message.

    Attributes:
        code: The source.
        language: As the fence names it.
    """

    code: str
    language: str


class CodeResult(BaseModel, defer_build=True):
    """What a list of code blocks did.

    Attributes:
        exit_code: Of the last block that ran; 0 when all succeeded.
        output: What the blocks printed.
    """

    exit_code: int
    output: str


class CommandLineCodeResult(CodeResult, defer_build=True):
    """What blocks did that ran as commands.

    Attributes:
        code_file: The path of the source of the first block; None when none could be run.
    """

    code_file: str | None = None


class IPythonCodeResult(CodeResult, defer_build=True):
    """What blocks did in a kernel.

    Attributes:
        output_files: The paths of the images and pages that they showed.
    """

    output_files: list[str] = Field(default_factory=list)


class CodeExtractor(Protocol):
    """Finds the code blocks of a message."""

    def extract_code_blocks(self, message: MessageContent) -> list[CodeBlock]:
        """The code blocks of a message's content, in order."""
        ...


@runtime_checkable
class CodeExecutor(Protocol):
    """Runs code blocks."""

    @property
    def code_extractor(self) -> CodeExtractor:
        """Finds the blocks that this executor runs."""
        ...

    def execute_code_blocks(self, code_blocks: list[CodeBlock]) -> CodeResult:
        """Run the blocks in order, up to the first that fails.

        Raises:
            ValueError: There is no block.
        """
        ...

    def restart(self) -> None:
        """Start afresh."""
        ...


@runtime_checkable
class AsyncCodeExecutor(CodeExecutor, Protocol):
    """An executor that runs code without blocking the event loop, too, as those of this package do."""

    async def a_execute_code_blocks(self, code_blocks: list[CodeBlock]) -> CodeResult:
        """Run the blocks like `execute_code_blocks`."""
        ...


CodeExecutionConfig = TypedDict(
    "CodeExecutionConfig",
    {
        "executor": Literal["ipython-embedded", "commandline-local"] | CodeExecutor,
        "last_n_messages": int | Literal["auto"],
        "timeout": int,
        "use_docker": bool | str | list[str],
        "work_dir": str,
        "ipython-embedded": Mapping[str, Any],  # Any: the arguments of an executor
        "commandline-local": Mapping[str, Any],  # Any: as above
    },
    total=False,
)
"""How an agent runs code: with an executor, or by `work_dir`, `use_docker` and `timeout`."""
