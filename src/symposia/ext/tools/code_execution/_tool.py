"""The tool: its argument is a Python program, its result is what the program printed."""

from __future__ import annotations

from typing import Final, Self

from pydantic import BaseModel, Field, model_serializer

from symposia.core import CancellationToken, ComponentModel
from symposia.core.code_executor import CodeBlock, CodeExecutor, CodeResult, execute_code
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.tools import BaseTool, ToolTraits

NAME: Final = "CodeExecutor"
DESCRIPTION: Final = "Execute Python code blocks."


class CodeExecutionInput(BaseModel, defer_build=True):
    """The argument of the tool.

    Attributes:
        code: The program.
    """

    # AutoGen's text, word for word: it is part of the schema that models and recorded answers were made with.
    code: str = Field(description="The contents of the Python code block that should be executed")


class CodeExecutionResult(BaseModel, defer_build=True):
    """What the program did. Its dump, which is what a model reads, is `output` alone.

    Attributes:
        success: Whether its exit status is 0.
        output: What it printed, and what ended it if that was a limit.
    """

    success: bool
    output: str

    @model_serializer
    def ser_model(self) -> str:
        """The output."""
        return self.output


class CodeExecutionToolConfig(BaseModel, defer_build=True):
    """A saved `PythonCodeExecutionTool`.

    Attributes:
        executor: Where the code runs.
        description: The description of the tool for the model.
    """

    executor: ComponentModel
    description: str = DESCRIPTION


class PythonCodeExecutionTool(BaseTool[CodeExecutionInput, CodeExecutionResult]):
    """A tool that runs Python in a code executor and returns its output.

    The executor starts at the first call. The program that made it stops it. To effect handlers, a call is the run of
    the code, with its executor, its blocks and its files, and no call of a tool: the tool is transparent.

    Args:
        executor: Where the code runs.

    Raises:
        ArgumentTypeError: `executor` is not a `CodeExecutor`.
    """

    component_config_schema = CodeExecutionToolConfig
    traits = ToolTraits(transparent=True)

    def __init__(self, executor: CodeExecutor) -> None:
        if not isinstance(executor, CodeExecutor):  # pyright: ignore[reportUnnecessaryIsInstance] - checks the caller
            raise ArgumentTypeError(
                f"executor of PythonCodeExecutionTool is {executor!r}: give a CodeExecutor, such as "
                "create_default_code_executor()."
            )
        super().__init__(CodeExecutionInput, CodeExecutionResult, NAME, DESCRIPTION)
        self._executor = executor

    async def run(self, args: CodeExecutionInput, cancellation_token: CancellationToken) -> CodeExecutionResult:
        """Run the code.

        Raises:
            SandboxError: The executor cannot run code.
            asyncio.CancelledError: The token was cancelled.
        """
        block = CodeBlock(code=args.code, language="python")
        result = await execute_code(self._executor, [block], cancellation_token)
        return CodeExecutionResult(success=result.exit_code == 0, output=_output(result))

    def _to_config(self) -> CodeExecutionToolConfig:
        return CodeExecutionToolConfig(executor=self._executor.dump_component(), description=self._description)

    @classmethod
    def _from_config(cls, config: CodeExecutionToolConfig) -> Self:
        tool = cls(CodeExecutor.load_component(config.executor))
        tool._description = config.description
        return tool


def _output(result: CodeResult) -> str:
    """What was printed. A failure without a word would look like success to a model, which reads nothing but this."""
    if result.exit_code == 0 or result.output:
        return result.output
    return f"The code ended with exit status {result.exit_code} and printed nothing."
