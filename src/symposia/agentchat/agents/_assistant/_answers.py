"""The messages with which a turn of an assistant ends: how it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from symposia.agentchat.agents._model_turn import ModelCall
from symposia.agentchat.base import Handoff
from symposia.agentchat.messages import HandoffMessage, TextMessage, ToolCallSummaryMessage
from symposia.core import FunctionCall, call_function
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
)

CallSummary: TypeAlias = Callable[[FunctionCall, FunctionExecutionResult], str | Awaitable[str]]
"""Gives the text of one tool call and its result in an answer that is made of results.

A plain function runs in a worker thread.
"""


class Answers(NamedTuple):
    """The answers of an assistant, but for those in a schema, which are a `StructuredOutput`.

    Attributes:
        agent: The assistant's name.
        handoffs: The handoffs, by the name of their tool.
        call_summary: The text of a tool call in a summary.
    """

    agent: str
    handoffs: Mapping[str, Handoff]
    call_summary: CallSummary

    def text(self, call: ModelCall) -> TextMessage:
        """The model's own words.

        Raises:
            ModelError: The model asks for tools that it was not given, or the stream ended without a whole answer.
        """
        return TextMessage(id=call.message_id, content=call.text, source=self.agent, models_usage=call.result.usage)

    async def summary(
        self, calls: Sequence[FunctionCall], results: Sequence[FunctionExecutionResult]
    ) -> ToolCallSummaryMessage:
        """The tool results, a line for each."""
        called = zip(calls, results, strict=True)
        lines = [await call_function(self.call_summary, call, result) for call, result in called]
        return ToolCallSummaryMessage(
            content="\n".join(lines), source=self.agent, tool_calls=list(calls), results=list(results)
        )

    def handoff(
        self, answer: CreateResult, calls: Sequence[FunctionCall], results: Sequence[FunctionExecutionResult]
    ) -> HandoffMessage | None:
        """The message that passes the turn on, if the calls made a handoff; its text is the result of that call.

        Its context is the model's thought, and the calls beside the handoff with their results, which the next agent
        has not seen. The call of the handoff is left out: the next agent may have no tool of that name.

        Args:
            answer: The answer of the model.
            calls: The calls in it.
            results: Their results, in the same order.
        """
        made = next((each for each in results if each.name in self.handoffs and not each.is_error), None)
        if made is None:
            return None
        beside = [each for each in zip(calls, results, strict=True) if each[0].name not in self.handoffs]
        context: list[LLMMessage] = []
        if beside:
            said = AssistantMessage(content=[call for call, _ in beside], thought=answer.thought, source=self.agent)
            context = [said, FunctionExecutionResultMessage(content=[result for _, result in beside])]
        elif answer.thought:
            context = [AssistantMessage(content=answer.thought, source=self.agent)]
        return HandoffMessage(
            content=made.content, target=self.handoffs[made.name].target, source=self.agent, context=context
        )


def summary_by(template: str) -> CallSummary:
    """A summary by a template with ``{tool_name}``, ``{arguments}``, ``{result}`` and ``{is_error}``.

    Raises:
        InvalidArgumentError: The template names something else.
    """

    async def summary(call: FunctionCall, result: FunctionExecutionResult) -> str:
        return template.format(
            tool_name=call.name, arguments=call.arguments, result=result.content, is_error=result.is_error
        )

    try:
        template.format(tool_name="", arguments="", result="", is_error=False)
    except (KeyError, IndexError, ValueError) as error:
        raise InvalidArgumentError(
            f"tool_call_summary_format {template!r} cannot be filled in ({error!r}). It may name {{tool_name}},"
            " {arguments}, {result} and {is_error}; a brace of its own is written twice."
        ) from error
    return summary
