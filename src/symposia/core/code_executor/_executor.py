"""What runs code blocks for an agent, whichever place they run in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Self, cast

from pydantic import JsonValue

from symposia.core._cancellation_token import CancellationToken
from symposia.core._component import ComponentBase
from symposia.core.code_executor._results import CodeBlock, CodeResult, OutputListener
from symposia.core.effects import Idempotency, class_identity
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.text_limits import beginning_of

QUOTED = 200
"""Characters of a wrong argument that an error quotes; it may be a whole program."""


def check_code_blocks(given: object) -> None:
    """Raise an error for an object that is not a list of code blocks. Executors call it before anything runs.

    What has a block's attributes is taken for one, since programs have blocks of their own.

    Raises:
        ArgumentTypeError: It is a text, a single block, or a list of something else.
    """
    wanted = "give a list of blocks, such as [CodeBlock(code='print(1)', language='python')]."
    if isinstance(given, str | bytes) or not isinstance(given, Sequence):
        raise ArgumentTypeError(f"The code blocks are {_quoted(given)}: {wanted}")
    for number, block in enumerate(cast("Sequence[object]", given)):
        if not (isinstance(getattr(block, "code", None), str) and isinstance(getattr(block, "language", None), str)):
            raise ArgumentTypeError(f"The code block at index {number} is {_quoted(block)}: {wanted}")


def _quoted(given: object) -> str:
    return beginning_of(repr(given), QUOTED)


class CodeExecutor(ComponentBase, ABC):
    """Runs code blocks, one list after another.

    An executor starts on its first use or by `start`, and is used as an async context manager to be stopped whatever
    happens inside.

    Attributes:
        idempotency: Whether running code again does harm: not where the code can touch nothing outside of a sandbox.
    """

    component_type = "code_executor"
    idempotency: Idempotency = "unknown"

    @abstractmethod
    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        """Run the blocks in order, up to the first that fails.

        The ending of the code, limits included, is in the result and never raised.

        Args:
            code_blocks: What to run.
            cancellation_token: Cancelling it kills everything that the blocks started, then raises `CancelledError`.
        """

    async def execute_with_output(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken, on_output: OutputListener
    ) -> CodeResult:
        """Run the blocks like `execute_code_blocks`, and pass on the output as it comes.

        By default nothing is passed on. An executor that sees the output of running code overrides it.

        Args:
            code_blocks: What to run.
            cancellation_token: As in `execute_code_blocks`.
            on_output: Called on the event loop with each piece of output.
        """
        del on_output
        return await self.execute_code_blocks(code_blocks, cancellation_token)

    def effect_identity(self) -> dict[str, JsonValue]:
        """What of this executor decides how code ends, as JSON without secrets: by default, its class."""
        return class_identity(self)

    async def restore(self, result: CodeResult) -> None:
        """Make the files of a recorded result be there as if the code had run here. Nothing, unless overridden."""

    @abstractmethod
    async def start(self) -> None:
        """Make ready to run code. Starting twice is harmless."""

    async def start_ahead(self) -> None:
        """Begin to start in the background, and return at once. Nothing, unless overridden.

        A block that comes meanwhile waits for the start. A start that fails raises nothing here: the first block makes
        it again, and raises its error. `stop` ends it, and so does the end of the event loop.
        """

    @abstractmethod
    async def stop(self) -> None:
        """End everything that the executor started. Stopping twice is harmless."""

    @abstractmethod
    async def restart(self) -> None:
        """Start afresh: nothing of what earlier blocks left running remains."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.stop()
