"""Answers of Chat Completions: the wire, and a whole answer as a `CreateResult`.

Every field may be missing but those without which there is no answer, since compatible vendors leave some out; a field
that is there has the right type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Required, TypeAlias, cast

from pydantic import Field, with_config
from typing_extensions import TypedDict

from symposia.core.models import (
    AssistantMessage,
    ChatCompletionTokenLogprob,
    CreateResult,
    FinishReasons,
    RequestUsage,
    TopLogprob,
    VendorBlocks,
)
from symposia.ext.models._answers import OPEN, TokenCount, create_result, json_parser
from symposia.ext.models._tool_calls import ToolCallWire, read_calls, with_ids

# The wire ------------------------------------------------------------------------------------------------------------


JsonObject: TypeAlias = dict[str, object]
Logprob: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]


@with_config(OPEN)
class MessageWire(TypedDict, total=False):
    """A message of the model, or what a streamed chunk adds to one."""

    content: str | None
    refusal: str | None
    reasoning_content: str | None
    reasoning: object  # the same, as OpenRouter, Groq, Ollama and new versions of vLLM call it
    reasoning_details: list[dict[str, object]] | None  # a compatible vendor's own
    tool_calls: list[ToolCallWire] | None


class TopLogprobWire(TypedDict, total=False):
    logprob: Required[Logprob]
    bytes: list[int] | None


class LogprobWire(TypedDict, total=False):
    token: Required[str]
    logprob: Required[Logprob]
    bytes: list[int] | None
    top_logprobs: list[TopLogprobWire] | None


class LogprobsWire(TypedDict, total=False):
    content: list[LogprobWire] | None


class ChoiceWire(TypedDict, total=False):
    index: int | None
    message: Required[MessageWire]
    finish_reason: str | None
    logprobs: LogprobsWire | None


class PromptDetailsWire(TypedDict, total=False):
    cached_tokens: TokenCount | None
    cache_write_tokens: TokenCount | None


class CompletionDetailsWire(TypedDict, total=False):
    reasoning_tokens: TokenCount | None


class UsageWire(TypedDict, total=False):
    prompt_tokens: TokenCount | None
    completion_tokens: TokenCount | None
    prompt_tokens_details: PromptDetailsWire | None
    completion_tokens_details: CompletionDetailsWire | None


@with_config(OPEN)
class CompletionWire(TypedDict, total=False):
    """A whole answer."""

    choices: Required[Annotated[list[ChoiceWire], Field(min_length=1)]]
    usage: UsageWire | None


# The result ----------------------------------------------------------------------------------------------------------

VENDOR: Final = "openai"

FINISH_REASONS: Final[Mapping[str | None, FinishReasons]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "function_calls",
    "function_call": "function_calls",
    "content_filter": "content_filter",
}


_completion: Final = json_parser(CompletionWire)


def parse_completion(data: bytes) -> CompletionWire:
    """The body of a response, checked.

    Raises:
        ValueError: It is not an answer, or it reports an error.
    """
    completion = _completion(data)
    if _is_blank(completion["choices"][0]):
        raise ValueError("the answer has neither content nor a finish_reason")
    return completion


def read_completion(completion: CompletionWire, *, blocks: str = VENDOR) -> CreateResult:
    """The result of an answer.

    Args:
        completion: The answer.
        blocks: The key of its `VendorBlocks`.

    Raises:
        ValueError: It has a tool call without a name.
    """
    choice = completion["choices"][0]
    message = choice["message"]
    calls = with_ids(message.get("tool_calls") or ())
    return create_result(
        message.get("content") or message.get("refusal") or "",
        message.get("reasoning_content") or reasoning_text(message),
        read_calls(calls),
        FINISH_REASONS.get(choice.get("finish_reason"), "unknown"),
        read_usage(completion.get("usage")),
        logprobs=read_logprobs((choice.get("logprobs") or LogprobsWire()).get("content")),
        vendor_blocks=_opaque_blocks(message, calls, blocks),
    )


def reasoning_text(message: MessageWire) -> str:
    """The reasoning by its other name, where that is a text."""
    return reasoning if isinstance(reasoning := message.get("reasoning"), str) else ""


def _is_blank(choice: ChoiceWire) -> bool:
    """Whether the answer is missing. No content with a finish_reason is an answer: a model may return nothing."""
    message = choice["message"]
    return choice.get("finish_reason") is None and all(
        message.get(field) is None for field in ("content", "refusal", "reasoning_content", "reasoning", "tool_calls")
    )


def read_usage(usage: UsageWire | None) -> RequestUsage:
    """The tokens of a request; none where the server does not count."""
    usage = usage or {}
    details = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    return RequestUsage(
        prompt_tokens=usage.get("prompt_tokens") or 0,
        completion_tokens=usage.get("completion_tokens") or 0,
        cached_tokens=details.get("cached_tokens") or 0,
        cache_write_tokens=details.get("cache_write_tokens") or 0,
        reasoning_tokens=completion.get("reasoning_tokens") or 0,
    )


def read_logprobs(entries: Sequence[LogprobWire] | None) -> list[ChatCompletionTokenLogprob] | None:
    """How likely the tokens of an answer were; None where that was not asked for."""
    return [_token(entry) for entry in entries] if entries else None


def _token(entry: LogprobWire) -> ChatCompletionTokenLogprob:
    return ChatCompletionTokenLogprob(
        token=entry["token"],
        logprob=entry["logprob"],
        bytes=entry.get("bytes"),
        top_logprobs=[
            TopLogprob(logprob=top["logprob"], bytes=top.get("bytes")) for top in entry.get("top_logprobs") or ()
        ],
    )


# Fields that the vendor needs again --------------------------------------------------------------------------------
#
# OpenAI adds nothing to a message with tool calls. Google signs the thinking before a call (``extra_content``),
# OpenRouter keeps ``reasoning_details``, DeepSeek needs its ``reasoning_content`` again, vLLM its ``reasoning``; each
# answers with status 400, or thinks worse, without.

_OPAQUE: Final = ("reasoning_content", "reasoning", "reasoning_details")
_RETURNED: Final = (*_OPAQUE, "content")
_OWN_CALL_FIELDS: Final = frozenset({"index", "id", "type", "function"})


def _opaque_blocks(message: MessageWire, calls: Sequence[ToolCallWire], key: str) -> VendorBlocks | None:
    """The fields of an answer with tool calls that the vendor needs in the next request."""
    fields: dict[str, object] = {name: field for name in _OPAQUE if (field := message.get(name))}
    if extras := {call.get("id") or "": extra for call in calls if (extra := _extra_fields(call))}:
        fields["tool_calls"] = extras
    return {key: [{**fields, "content": message.get("content")}]} if calls and fields else None


def with_opaque_fields(
    wire: Mapping[str, object], calls: Sequence[JsonObject], message: AssistantMessage, blocks: str
) -> dict[str, object]:
    """A message with tool calls again as the vendor sent it.

    Args:
        wire: The message without its calls.
        calls: Its calls, each with an ``id``.
        message: What both are made of.
        blocks: The key of its `VendorBlocks`.
    """
    returned: dict[str, object] = {**wire, "tool_calls": calls}
    for fields in (message.vendor_blocks or {}).get(blocks, ()):
        # as `_opaque_blocks` wrote them: fields by the call's id
        extras = cast("Mapping[object, JsonObject]", fields.get("tool_calls", {}))
        returned["tool_calls"] = [{**call, **extras.get(call["id"], {})} for call in calls]
        returned.update({name: fields[name] for name in _RETURNED if name in fields})
    return returned


def _extra_fields(call: ToolCallWire) -> dict[str, object]:
    return {name: value for name, value in call.items() if name not in _OWN_CALL_FIELDS}
