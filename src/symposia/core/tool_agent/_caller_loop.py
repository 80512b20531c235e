from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from symposia.core._agent_id import AgentId
from symposia.core._agent_runtime import AgentRuntime
from symposia.core._base_agent import BaseAgent
from symposia.core._cancellation_token import CancellationToken
from symposia.core._effects import ModelRequest
from symposia.core._step import step
from symposia.core._types import FunctionCall
from symposia.core.exceptions import ToolException
from symposia.core.models import (
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
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
    """Ask a model, have a tool agent run the tools that it calls, and go on until it calls none.

    A tool that fails, or is not there, is a result that the model reads. The calls of one answer run at the same time.

    Args:
        caller: Who sends the calls: an agent, or a runtime for the world outside.
        tool_agent_id: Who runs them.
        model_client: The model.
        input_messages: What it is asked; not changed.
        tool_schema: What it may call.
        cancellation_token: Cancelling it ends the model's and the tools' work.
        caller_source: The source of the model's messages.

    Returns:
        What came after `input_messages`: each answer, the last of which calls no tool, and the results of its calls.

    Raises:
        asyncio.CancelledError: The token was cancelled.
        Exception: What the model client raised, or sending to the tool agent did other than a `ToolException`.
    """
    agent = str(caller.id) if isinstance(caller, BaseAgent) else caller_source
    schemas = [tool.schema if isinstance(tool, Tool) else tool for tool in tool_schema]

    async def ask(messages: Sequence[LLMMessage]) -> CreateResult:
        request = ModelRequest(messages=messages, tools=schemas)
        return await step(
            "model",
            agent,
            request,
            lambda: model_client.create(messages, tools=tool_schema, cancellation_token=cancellation_token),
        )

    async def call(tool_call: FunctionCall) -> FunctionExecutionResult:
        try:
            return await caller.send_message(tool_call, tool_agent_id, cancellation_token=cancellation_token)
        except ToolException as error:
            return FunctionExecutionResult(content=error.content, call_id=error.call_id, name=error.name, is_error=True)

    generated: list[LLMMessage] = []
    while True:
        answer = await ask([*input_messages, *generated])
        generated.append(answer.to_message(caller_source))
        if isinstance(answer.content, str) or not answer.content:
            return generated
        results = await _all_of([call(tool_call) for tool_call in answer.content])
        generated.append(FunctionExecutionResultMessage(content=results))


async def _all_of(calls: Sequence[Coroutine[Any, Any, FunctionExecutionResult]]) -> list[FunctionExecutionResult]:
    """Every result, in order. All calls are settled before the first error is raised: none is left running."""
    results: list[FunctionExecutionResult] = []
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
        results.append(outcome)
    return results
