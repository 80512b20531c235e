"""Answers as the objects of OpenAI's SDK, which programs of AutoGen 0.2 read."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from symposia.core import FunctionCall
from symposia.core.models import CreateResult, FinishReasons, RequestUsage

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion, ChatCompletionMessage

FINISH: Final[dict[FinishReasons, str]] = {"function_calls": "tool_calls", "unknown": "stop"}


def completion_of(results: Sequence[CreateResult], model: str, *, as_function: bool) -> ChatCompletion:
    """A completion with a choice for each result.

    Args:
        results: The answers to one request.
        model: The model's name.
        as_function: Whether a call is given as ``function_call``, as for a request with ``functions``.
    """
    from openai.types.chat import ChatCompletion  # noqa: PLC0415 - takes half a second

    usage = sum((result.usage for result in results), RequestUsage(0, 0))
    return ChatCompletion.model_validate(
        {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": model,
            "choices": [_choice(index, result, as_function=as_function) for index, result in enumerate(results)],
            "usage": {
                "prompt_tokens": usage.prompt_tokens,
                "completion_tokens": usage.completion_tokens,
                "total_tokens": usage.total_tokens,
            },
        }
    )


def _choice(index: int, result: CreateResult, *, as_function: bool) -> dict[str, object]:
    finish = FINISH.get(result.finish_reason, result.finish_reason)
    if isinstance(result.content, str):
        message: dict[str, object] = {"role": "assistant", "content": result.content}
    elif as_function:
        message = {"role": "assistant", "content": result.thought, "function_call": _function(result.content[0])}
        finish = "function_call"
    else:
        calls = [{"id": call.id, "type": "function", "function": _function(call)} for call in result.content]
        message = {"role": "assistant", "content": result.thought, "tool_calls": calls}
    return {"index": index, "message": message, "finish_reason": finish}


def _function(call: FunctionCall) -> dict[str, str]:
    return {"name": call.name, "arguments": call.arguments}


def retrieve(response: ChatCompletion) -> list[str | ChatCompletionMessage]:
    """What a completion says: of each choice the text, or the message where that has calls."""
    return [
        choice.message
        if choice.message.function_call is not None or choice.message.tool_calls is not None  # pyright: ignore[reportDeprecated] - of requests with `functions`
        else choice.message.content or ""
        for choice in response.choices
    ]
