"""An agent that runs tools for others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, cast

from symposia.core._function_call import FunctionCall
from symposia.core._handlers import message_handler
from symposia.core._message_context import MessageContext
from symposia.core._routed_agent import RoutedAgent
from symposia.core.effects import class_identity, enter_scope
from symposia.core.exceptions import (
    ArgumentTypeError,
    HumanInputError,
    InvalidArgumentError,
    InvalidToolArgumentsException,
    SandboxError,
    ToolArgumentsError,
    ToolExecutionException,
    ToolFunctionError,
    ToolNotFoundException,
)
from symposia.core.json_values import JsonObject
from symposia.core.models import FunctionExecutionResult
from symposia.core.tools import (
    TOOL_EFFECT,
    TextResultContent,
    Tool,
    ToolRequest,
    ToolResult,
    ToolTraits,
    failed_result,
    parse_tool_arguments,
    prepare_tools,
)


class ToolAgent(RoutedAgent):
    """Runs tools for other agents: send it a `FunctionCall`, and it answers with a `FunctionExecutionResult`.

    Calls are handled at the same time, however many there are.

    Args:
        description: Describes the agent.
        tools: The tools that it runs.

    Raises:
        ArgumentTypeError: `tools` is no list of tools.
        InvalidArgumentError: Two tools have one name.
    """

    concurrent: ClassVar[bool] = True

    def __init__(self, description: str, tools: Sequence[Tool]) -> None:
        super().__init__(description)
        self._tools: dict[str, Tool] = {}
        for tool in _checked(tools):
            if tool.name in self._tools:
                raise InvalidArgumentError(f"Two tools are named '{tool.name}': a call could not distinguish them.")
            self._tools[tool.name] = tool

    @property
    def tools(self) -> list[Tool]:
        """The tools that the agent runs."""
        return list(self._tools.values())

    @message_handler
    async def handle_function_call(self, message: FunctionCall, ctx: MessageContext) -> FunctionExecutionResult:
        """Run one tool.

        Raises:
            ToolNotFoundException: There is no such tool.
            InvalidToolArgumentsException: The arguments are not a JSON object, or do not fit the tool's schema.
            ToolExecutionException: The tool raised.
            asyncio.CancelledError: The token was cancelled.
        """
        tool = self._tools.get(message.name)
        if tool is None:
            names = ", ".join(self._tools) or "none"
            text = f"Error: Tool not found: {message.name}. The tools are: {names}."
            raise ToolNotFoundException(message.id, text, message.name)
        try:
            await prepare_tools([tool])
        except (SandboxError, ToolFunctionError) as error:
            raise ToolExecutionException(message.id, f"Error: {error}", message.name) from error
        try:
            arguments = parse_tool_arguments(message.arguments, tool.schema)
        except ToolArgumentsError as error:
            raise _invalid(message, error) from error
        with enter_scope(f"tool:{tool.name}"):
            result = await self._perform(tool, arguments, message, ctx)
        return FunctionExecutionResult(
            content=result.to_text(), call_id=message.id, name=message.name, is_error=result.is_error
        )

    async def _perform(self, tool: Tool, arguments: JsonObject, call: FunctionCall, ctx: MessageContext) -> ToolResult:
        """Run a tool as an effect, unless it is transparent."""
        traits: ToolTraits = getattr(tool, "traits", ToolTraits())  # what is only a `Tool` may have none
        if traits.transparent:
            return await _run(tool, arguments, call, ctx)
        return await TOOL_EFFECT.perform(
            lambda: ToolRequest(
                workbench={**class_identity(self), "type": self.id.type}, name=tool.name, arguments=arguments
            ),
            lambda: _run(tool, arguments, call, ctx),
            idempotency=traits.idempotency,
        )

    async def save_state(self) -> Mapping[str, Any]:
        """The states of the tools, by name."""
        return {"tools": {name: await tool.save_state_json() for name, tool in self._tools.items()}}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore the states that `save_state` returned. States of tools that are no longer here are ignored."""
        for name, tool_state in state.get("tools", {}).items():
            if name in self._tools:
                await self._tools[name].load_state_json(tool_state)


def _checked(tools: object) -> list[Tool]:
    """The tools: objects with the interface of `Tool`."""
    if isinstance(tools, str) or not isinstance(tools, Iterable):
        raise ArgumentTypeError(f"The tools of a ToolAgent are given as a list, not {tools!r}")
    listed = list(cast("Iterable[object]", tools))
    for tool in listed:
        if isinstance(tool, type) or not hasattr(tool, "run_json"):
            raise ArgumentTypeError(
                f"A tool of a ToolAgent has to be a Tool, such as FunctionTool(function, description='…'), not {tool!r}"
            )
    return cast("list[Tool]", listed)


async def _run(tool: Tool, arguments: JsonObject, call: FunctionCall, ctx: MessageContext) -> ToolResult:
    try:
        result = await tool.run_json(arguments, ctx.cancellation_token, call_id=call.id)
        content = tool.return_value_as_string(result)
    except ToolArgumentsError as error:
        raise _invalid(call, error) from error
    except HumanInputError:  # no failure of the tool: see the class
        raise
    except Exception as error:
        raise ToolExecutionException(
            call.id, f"Error: {failed_result(call.name, error).to_text()}", call.name
        ) from error
    return ToolResult(name=call.name, result=[TextResultContent(content=content)])


def _invalid(call: FunctionCall, error: ToolArgumentsError) -> InvalidToolArgumentsException:
    return InvalidToolArgumentsException(call.id, f"Error: Invalid arguments: {error}", call.name)
