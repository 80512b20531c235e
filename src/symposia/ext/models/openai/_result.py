"""A whole answer of Chat Completions as a `CreateResult`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from symposia.core import FunctionCall
from symposia.core.exceptions import ModelError
from symposia.core.models import (
    ChatCompletionTokenLogprob,
    CreateResult,
    FinishReasons,
    RequestUsage,
    TopLogprob,
)
from symposia.ext.models.openai._opaque import opaque_blocks
from symposia.ext.models.openai._wire import (
    ChoiceWire,
    CompletionWire,
    LogprobWire,
    MessageWire,
    ToolCallWire,
    UsageWire,
)

FINISH_REASONS: Final[Mapping[str | None, FinishReasons]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "function_calls",
    "function_call": "function_calls",
    "content_filter": "content_filter",
}


def read_completion(answer: object, model: str) -> CreateResult:
    """What an answer says.

    Raises:
        ModelError: It is no answer of Chat Completions.
    """
    choice = _first_choice(answer, model)
    message = choice.get("message", MessageWire())
    calls = [_function_call(call) for call in message.get("tool_calls") or ()]
    text = message.get("content") or message.get("refusal") or ""
    reasoning = message.get("reasoning_content") or ""
    return CreateResult(
        finish_reason=_finish_reason(choice, has_calls=bool(calls)),
        content=calls or text,
        usage=_usage(cast("CompletionWire", answer).get("usage")),
        cached=False,
        logprobs=_logprobs(choice),
        thought=("\n".join(filter(None, (reasoning, text))) if calls else reasoning) or None,
        vendor_blocks=opaque_blocks(message),
    )


def _first_choice(answer: object, model: str) -> ChoiceWire:
    if isinstance(answer, Mapping) and (choices := cast("CompletionWire", answer).get("choices")):
        return choices[0]
    raise ModelError(
        f"The server's answer for model {model!r} is not one of Chat Completions; check base_url. "
        f"It begins: {str(cast('object', answer))[:200]}"
    )


def _finish_reason(choice: ChoiceWire, *, has_calls: bool) -> FinishReasons:
    """Why the model stopped; a call that was forced by its name says "stop" as well."""
    reason: FinishReasons = FINISH_REASONS.get(choice.get("finish_reason"), "unknown")
    return "function_calls" if has_calls and reason == "stop" else reason


def _function_call(call: ToolCallWire) -> FunctionCall:
    function = call.get("function") or {}
    return FunctionCall(
        id=call.get("id") or "", name=function.get("name") or "", arguments=function.get("arguments") or ""
    )


def _usage(usage: UsageWire | None) -> RequestUsage:
    usage = usage or {}
    return RequestUsage(
        prompt_tokens=usage.get("prompt_tokens") or 0, completion_tokens=usage.get("completion_tokens") or 0
    )


def _logprobs(choice: ChoiceWire) -> list[ChatCompletionTokenLogprob] | None:
    content = (choice.get("logprobs") or {}).get("content")
    return [_token(entry) for entry in content] if content else None


def _token(entry: LogprobWire) -> ChatCompletionTokenLogprob:
    return ChatCompletionTokenLogprob(
        token=entry.get("token", ""),
        logprob=entry.get("logprob", 0.0),
        bytes=entry.get("bytes"),
        top_logprobs=[
            TopLogprob(logprob=top.get("logprob", 0.0), bytes=top.get("bytes"))
            for top in entry.get("top_logprobs") or ()
        ],
    )
