from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from symposia.core._handlers import message_handler
from symposia.core._message_context import MessageContext
from symposia.core._routed_agent import RoutedAgent
from symposia.core._step import step
from symposia.core._types import FunctionCall
from symposia.core.exceptions import (
    InvalidArgumentError,
    InvalidToolArgumentsException,
    ToolArgumentsError,
    ToolExecutionException,
    ToolNotFoundException,
)
from symposia.core.models import FunctionExecutionResult
from symposia.core.tools import Tool


class ToolAgent(RoutedAgent):
    """Runs tools for other agents: send it a `FunctionCall`, and it answers with a `FunctionExecutionResult`.

    Calls are handled at the same time, however many there are.

    Args:
        description: What the agent is for, in words that a model can read.
        tools: What it can be asked to run.

    Raises:
        InvalidArgumentError: Two tools have one name.
    """

    concurrent: ClassVar[bool] = True

    def __init__(self, description: str, tools: Sequence[Tool]) -> None:
        super().__init__(description)
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            if tool.name in self._tools:
                raise InvalidArgumentError(f"Two tools are named '{tool.name}': a call could not tell them apart.")
            self._tools[tool.name] = tool

    @property
    def tools(self) -> list[Tool]:
        """What the agent can be asked to run."""
        return list(self._tools.values())

    @message_handler
    async def handle_function_call(self, message: FunctionCall, ctx: MessageContext) -> FunctionExecutionResult:
        """Run one tool.

        Raises:
            ToolNotFoundException: There is no such tool.
            InvalidToolArgumentsException: The arguments are no JSON object, or do not fit the tool's schema.
            ToolExecutionException: The tool raised.
            asyncio.CancelledError: The token was cancelled.
        """
        tool = self._tools.get(message.name)
        if tool is None:
            names = ", ".join(self._tools) or "none"
            text = f"Error: Tool not found: {message.name}. The tools are: {names}."
            raise ToolNotFoundException(message.id, text, message.name)
        arguments = _arguments(message, tool)
        return await step("tool", str(self.id), message, lambda: _run(tool, arguments, message, ctx))

    async def save_state(self) -> Mapping[str, Any]:
        """The states of the tools, by name."""
        return {"tools": {name: await tool.save_state_json() for name, tool in self._tools.items()}}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Give the tools back the states that `save_state` returned. Tools that are not here any more are skipped."""
        for name, tool_state in state.get("tools", {}).items():
            if name in self._tools:
                await self._tools[name].load_state_json(tool_state)


def _arguments(call: FunctionCall, tool: Tool) -> Mapping[str, Any]:
    """The arguments as the model wrote them, parsed; some models write nothing for a tool that takes none."""
    try:
        arguments: object = json.loads(call.arguments.strip() or "{}")
    except ValueError as error:
        raise _invalid(call, f"{call.arguments}\nThat is not JSON: {error}.\n{_usage(tool)}") from error
    if not isinstance(arguments, dict):
        raise _invalid(call, f"{call.arguments}\nThat is not a JSON object.\n{_usage(tool)}")
    return cast("Mapping[str, Any]", arguments)


async def _run(
    tool: Tool, arguments: Mapping[str, Any], call: FunctionCall, ctx: MessageContext
) -> FunctionExecutionResult:
    try:
        result = await tool.run_json(arguments, ctx.cancellation_token, call_id=call.id)
        content = tool.return_value_as_string(result)
    except ToolArgumentsError as error:
        raise _invalid(call, str(error)) from error
    except Exception as error:
        text = f"Error: {type(error).__name__}: {error}"
        raise ToolExecutionException(call.id, text, call.name) from error
    return FunctionExecutionResult(content=content, call_id=call.id, name=call.name, is_error=False)


def _invalid(call: FunctionCall, why: str) -> InvalidToolArgumentsException:
    return InvalidToolArgumentsException(call.id, f"Error: Invalid arguments: {why}", call.name)


def _usage(tool: Tool) -> str:
    parameters = json.dumps(tool.schema.get("parameters", {}), ensure_ascii=False)
    return f"The arguments of the tool '{tool.name}' are: {parameters}"
