"""The loop of model calls and tool calls, with the tools in an agent of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence

from symposia.core._agent_id import AgentId
from symposia.core._agent_runtime import AgentRuntime
from symposia.core._base_agent import BaseAgent
from symposia.core._cancellation_token import CancellationToken
from symposia.core._function_call import FunctionCall
from symposia.core.exceptions import ToolException
from symposia.core.models import (
    ChatCompletionClient,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    call_model,
)
from symposia.core.tools import Tool, ToolSchema


async def tool_agent_caller_loop(
    caller: BaseAgent | AgentRuntime,
    tool_agent_id: AgentId,
    model_client: ChatCompletionClient,
    input_messages: Sequence[LLMMessage],
    tool_schema: Sequence[ToolSchema] | Sequence[Tool],
    cancellation_token: CancellationToken | None = None,
    caller_source: str = "assistant",
) -> list[LLMMessage]:
    """Call a model and have a tool agent run the tools that it calls, until it calls none.

    The failure of a tool, and the name of a tool that does not exist, are results that the model reads. The calls of
    one answer run at the same time.

    Args:
        caller: Sends the calls: an agent, or a runtime.
        tool_agent_id: The tool agent.
        model_client: The model.
        input_messages: The messages for the model; not changed.
        tool_schema: The tools that the model may call.
        cancellation_token: Cancelling it ends the calls of the model and the tools.
        caller_source: The source of the model's messages.

    Returns:
        The messages after `input_messages`: each answer and the results of its calls; the last answer calls no tool.

    Raises:
        asyncio.CancelledError: The token was cancelled.
        Exception: An error of the model client, or of sending to the tool agent except `ToolException`.
    """

    async def call(tool_call: FunctionCall) -> FunctionExecutionResult:
        try:
            return await caller.send_message(tool_call, tool_agent_id, cancellation_token=cancellation_token)
        except ToolException as error:
            return FunctionExecutionResult(content=error.content, call_id=error.call_id, name=error.name, is_error=True)

    generated: list[LLMMessage] = []
    while True:
        messages = [*input_messages, *generated]
        answer = await call_model(model_client, messages, tools=tool_schema, cancellation_token=cancellation_token)
        generated.append(answer.to_message(caller_source))
        if isinstance(answer.content, str) or not answer.content:
            return generated
        results = await _all_of([call(tool_call) for tool_call in answer.content])
        generated.append(FunctionExecutionResultMessage(content=results))


async def _all_of(calls: Sequence[Awaitable[FunctionExecutionResult]]) -> list[FunctionExecutionResult]:
    """Every result, in order. All calls are settled before the first error is raised: none is left running."""
    results: list[FunctionExecutionResult] = []
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
        results.append(outcome)
    return results
