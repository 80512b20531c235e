"""How a turn ends: the kinds of messages that an assistant answers with."""

from collections.abc import Sequence

from pydantic import ValidationError

from symposia.agentchat.agents._assistant._setup import AssistantSetup
from symposia.agentchat.agents._model_call import ModelCall
from symposia.agentchat.base import Handoff
from symposia.agentchat.messages import BaseChatMessage, HandoffMessage, TextMessage, ToolCallSummaryMessage
from symposia.core import FunctionCall
from symposia.core.exceptions import ModelAnswerError
from symposia.core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
)


def model_answer(setup: AssistantSetup, question: ModelCall) -> BaseChatMessage:
    """The model's own words, parsed where the assistant answers in a schema.

    Raises:
        ModelAnswerError: The words do not fit the schema.
        ModelError: The model asks for tools where it was to reflect.
    """
    text, usage = question.text, question.result.usage
    if setup.output is None:
        return TextMessage(id=question.message_id, content=text, source=setup.name, models_usage=usage)
    try:
        content = setup.output.ContentModel.model_validate_json(text)
    except ValidationError as error:
        raise ModelAnswerError(
            f"Agent '{setup.name}': the model's answer is no {setup.output.ContentModel.__name__}: {error}"
        ) from error
    return setup.output.StructuredMessage(
        id=question.message_id,
        content=content,
        source=setup.name,
        models_usage=usage,
        format_string=setup.output.format_string,
    )


def summary_answer(
    setup: AssistantSetup, calls: Sequence[FunctionCall], results: Sequence[FunctionExecutionResult]
) -> ToolCallSummaryMessage:
    """The tool results themselves, a line for each."""
    lines = [setup.summary(call, result) for call, result in zip(calls, results, strict=True)]
    return ToolCallSummaryMessage(
        content="\n".join(lines), source=setup.name, tool_calls=list(calls), results=list(results)
    )


def handoff_answer(
    setup: AssistantSetup,
    handoff: Handoff,
    made: FunctionExecutionResult,
    answer: CreateResult,
    results: Sequence[FunctionExecutionResult],
) -> HandoffMessage:
    """Passing the turn on, with what the other agent should know of this turn: the thought and the tool results.

    Args:
        setup: Of the agent that hands off.
        handoff: To whom.
        made: The result of the handoff's tool, which the other agent is told.
        answer: In which the model asked for the handoff.
        results: Of all calls in it.
    """
    return HandoffMessage(
        content=made.content, target=handoff.target, source=setup.name, context=_context(setup, answer, results)
    )


def _context(
    setup: AssistantSetup, answer: CreateResult, results: Sequence[FunctionExecutionResult]
) -> list[LLMMessage]:
    used = [result for result in results if result.name not in setup.handoffs]
    ids = {result.call_id for result in used}
    calls = [call for call in answer.content if isinstance(call, FunctionCall) and call.id in ids]
    if calls:
        said = AssistantMessage(content=calls, thought=answer.thought, source=setup.name)
        return [said, FunctionExecutionResultMessage(content=used)]
    return [AssistantMessage(content=answer.thought, source=setup.name)] if answer.thought else []
