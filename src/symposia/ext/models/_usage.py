"""The tokens of answers, whole or cut off, with estimates for the counts that a server did not send."""

from __future__ import annotations

from dataclasses import replace

from symposia.core import FunctionCall
from symposia.core.exceptions import PartialAnswer
from symposia.core.models import AssistantMessage, CreateResult, RequestUsage, estimate_tokens
from symposia.ext.models._wire_format import ChatRequest


def usage_of(result: CreateResult, request: ChatRequest) -> RequestUsage:
    """The usage of an answer, with estimates for the counts that did not come.

    A count of zero is one that did not come, except that of an empty answer: servers that do not count leave the usage
    out or fill it with zeros, and a prompt has at least one token.
    """
    answer = result.to_message("model") if result.content or result.thought else None
    return _completed(result.usage, answer, request)


def spent_on(partial: PartialAnswer, usage: RequestUsage, request: ChatRequest) -> RequestUsage | None:
    """The usage of an answer that ended early, with estimates for the counts that did not come; None if none began.

    Args:
        partial: What arrived of the answer.
        usage: What the vendor has counted.
        request: What was asked.
    """
    calls = [FunctionCall(call["id"], call["arguments"], call["name"]) for call in partial["tool_calls"]]
    text, thought = partial["text"], partial["thought"]
    if not (calls or text or thought):
        return _completed(usage, None, request) if usage.total_tokens else None
    # What a model says beside calls is their thought.
    thought = f"{thought}{text}" if calls else thought
    return _completed(usage, AssistantMessage(content=calls or text, thought=thought, source="model"), request)


def _completed(usage: RequestUsage, answer: AssistantMessage | None, request: ChatRequest) -> RequestUsage:
    is_counted = usage.completion_tokens or answer is None
    if usage.prompt_tokens and is_counted:
        return usage
    return replace(
        usage,
        prompt_tokens=usage.prompt_tokens or estimate_tokens(request.messages, tools=request.tools),
        completion_tokens=usage.completion_tokens if answer is None or is_counted else estimate_tokens([answer]),
        estimated=True,
    )
