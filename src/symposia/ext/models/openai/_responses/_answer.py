"""Answers of the Responses API: the wire, and a whole answer as a `CreateResult`.

An answer is a list of items: messages, calls of functions, reasoning, and what tools at the vendor did. Fields that are
not named here, and items of other kinds, are kept as they came, since the vendor adds some without a new version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, NotRequired, Required, TypeAlias, TypeGuard, cast

from pydantic import Tag, with_config
from typing_extensions import TypedDict

from symposia.core import FunctionCall
from symposia.core.models import CreateResult, FinishReasons, RequestUsage
from symposia.ext.models._answers import OPEN, TokenCount, by_type, create_result, json_parser
from symposia.ext.models._reported_errors import ReportedError, reported_codes, reported_words
from symposia.ext.models._tool_calls import new_call_id, read_call
from symposia.ext.models.openai._answer import LogprobWire, read_logprobs

# The wire ------------------------------------------------------------------------------------------------------------


@with_config(OPEN)
class PartWire(TypedDict, total=False):
    """A part of a message or of reasoning: a text, or a refusal."""

    type: str
    text: str
    refusal: str
    logprobs: list[LogprobWire] | None


@with_config(OPEN)
class MessageItem(TypedDict):
    type: Literal["message"]
    content: list[PartWire]
    phase: NotRequired[str | None]


@with_config(OPEN)
class CallItem(TypedDict):
    type: Literal["function_call"]
    name: str
    arguments: str
    call_id: NotRequired[str | None]


@with_config(OPEN)
class ReasoningItem(TypedDict):
    type: Literal["reasoning"]
    summary: NotRequired[list[PartWire] | None]
    content: NotRequired[list[PartWire] | None]
    encrypted_content: NotRequired[str | None]


@with_config(OPEN)
class OtherItem(TypedDict):
    type: str


Item: TypeAlias = Annotated[
    Annotated[MessageItem, Tag("message")]
    | Annotated[CallItem, Tag("function_call")]
    | Annotated[ReasoningItem, Tag("reasoning")]
    | Annotated[OtherItem, Tag("other")],
    by_type({"message", "function_call", "reasoning"}),
]


class InputDetailsWire(TypedDict, total=False):
    cached_tokens: TokenCount | None
    cache_write_tokens: TokenCount | None


class OutputDetailsWire(TypedDict, total=False):
    reasoning_tokens: TokenCount | None


class UsageWire(TypedDict, total=False):
    input_tokens: TokenCount | None
    output_tokens: TokenCount | None
    input_tokens_details: InputDetailsWire | None
    output_tokens_details: OutputDetailsWire | None


class IncompleteWire(TypedDict, total=False):
    reason: str | None


@with_config(OPEN)
class ResponseWire(TypedDict, total=False):
    """A whole answer."""

    id: str | None
    status: str | None
    error: object
    incomplete_details: IncompleteWire | None
    output: Required[list[Item]]
    usage: UsageWire | None


# The result ----------------------------------------------------------------------------------------------------------

VENDOR: Final = "openai_responses"
"""The key of `VendorBlocks` at OpenAI. Chat Completions have another, since neither API understands the parts of the
other."""

INCOMPLETE: Final[Mapping[str | None, FinishReasons]] = {
    "max_output_tokens": "length",
    "content_filter": "content_filter",
}

_PLAIN_FIELDS: Final = {
    "message": frozenset({"type", "id", "role", "status", "content"}),
    "function_call": frozenset({"type", "id", "status", "call_id", "name", "arguments"}),
}
"""Fields that say no more than a message of ours does."""


_response: Final = json_parser(ResponseWire)


def parse_response(data: bytes) -> ResponseWire:
    """The body of a response, checked.

    Raises:
        ValueError: It is not an answer, or it reports an error.
    """
    response = _response(data)
    check_succeeded(response)
    return response


def check_succeeded(response: ResponseWire) -> None:
    """Check that a response is an answer, whole or cut off at a limit.

    Raises:
        ReportedError: The vendor failed, or was told to stop.
        ValueError: It has not ended.
    """
    status = response.get("status")
    error = response.get("error")
    if words := reported_words(error):
        raise ReportedError(words, reported_codes(error))
    if status in {"failed", "cancelled"}:
        raise ReportedError(f"the response is {status}")
    if status in {"queued", "in_progress"}:
        raise ValueError(f"the response is {status}: leave background=True out, with which it is answered later")


def read_response(response: ResponseWire, *, stored: bool, keep: bool, blocks: str = VENDOR) -> CreateResult:
    """The result of an answer.

    Args:
        response: The answer.
        stored: Whether the vendor keeps the response, so that its items can be sent back by their ids alone.
        keep: Whether all its items are kept, also those that say no more than the result does.
        blocks: The key of its `VendorBlocks`.

    Raises:
        ValueError: It has a function call without a name.
    """
    items = _with_call_ids(response["output"])
    return create_result(
        final_text(items),
        _reasoning(items),
        read_function_calls(items),
        _finish_reason(response),
        read_usage(response.get("usage")),
        logprobs=read_logprobs([one for part in _final_parts(items) for one in part.get("logprobs") or ()]),
        vendor_blocks=None if (kept := _kept_items(items, stored=stored, keep=keep)) is None else {blocks: kept},
    )


def read_function_calls(items: Sequence[Item]) -> list[FunctionCall]:
    """The calls of functions among the items.

    Raises:
        ValueError: One has no name.
    """
    calls = filter(_is_call, items)
    return [read_call(call.get("call_id") or "", call["name"], call["arguments"]) for call in calls]


def final_text(items: Sequence[Item]) -> str:
    """The text of the answer, or the refusal, without what the model says on its way to it."""
    return "".join(part.get("text") or part.get("refusal") or "" for part in _final_parts(items))


def read_usage(usage: UsageWire | None) -> RequestUsage:
    """The tokens of a request; none where the server does not count."""
    usage = usage or {}
    read = usage.get("input_tokens_details") or {}
    written = usage.get("output_tokens_details") or {}
    return RequestUsage(
        prompt_tokens=usage.get("input_tokens") or 0,
        completion_tokens=usage.get("output_tokens") or 0,
        cached_tokens=read.get("cached_tokens") or 0,
        cache_write_tokens=read.get("cache_write_tokens") or 0,
        reasoning_tokens=written.get("reasoning_tokens") or 0,
    )


def is_commentary(item: Mapping[str, object]) -> bool:
    """Whether a message is what the model says between steps, and no part of the answer.

    A schema that was asked for holds for the answer alone, so the two must not run together.
    """
    return item.get("phase") == "commentary"


def _final_parts(items: Sequence[Item]) -> list[PartWire]:
    return [part for item in items if _is_message(item) and not is_commentary(item) for part in item["content"]]


def _reasoning(items: Sequence[Item]) -> str:
    """The summaries of the reasoning, its text where the model shows it, and the commentary, in their order."""
    texts: list[str] = []
    for item in items:
        if _is_reasoning(item):
            texts += [part.get("text") or "" for part in item.get("summary") or item.get("content") or ()]
        elif _is_message(item) and is_commentary(item):
            texts.append("".join(part.get("text") or "" for part in item["content"]))
    return "\n\n".join(filter(None, texts))


def _finish_reason(response: ResponseWire) -> FinishReasons:
    if response.get("status") == "incomplete":
        return INCOMPLETE.get((response.get("incomplete_details") or {}).get("reason"), "unknown")
    return "stop"


def _with_call_ids(items: Sequence[Item]) -> Sequence[Item]:
    """The items with an id for each call, by which results are matched; other servers may leave them empty."""
    if all(item.get("call_id") for item in items if _is_call(item)):
        return items
    return [
        cast("Item", {**item, "call_id": new_call_id()}) if _is_call(item) and not item.get("call_id") else item
        for item in items
    ]


def _kept_items(items: Sequence[Item], *, stored: bool, keep: bool) -> list[dict[str, object]] | None:
    """All items, in their order, if there are some that a message of ours cannot hold.

    The items that follow an item of reasoning are refused without it. So if one cannot be sent back, none is: reasoning
    that is neither encrypted in the response nor stored at the vendor is unknown there as soon as it is answered.
    """
    lost = any(_is_reasoning(item) and not item.get("encrypted_content") for item in items) and not stored
    if lost or not (keep or any(map(_holds_more, items))):
        return None
    return [cast("dict[str, object]", item) for item in items]


def _holds_more(item: Item) -> bool:
    plain = _PLAIN_FIELDS.get(item["type"])
    if plain is None or any(value and field not in plain for field, value in item.items()):
        return True
    # Citations of what a tool at the vendor found: the model needs them to cite again.
    return _is_message(item) and any(cast("Mapping[str, Any]", part).get("annotations") for part in item["content"])


def _is_message(item: Item) -> TypeGuard[MessageItem]:
    return item["type"] == "message"


def _is_call(item: Item) -> TypeGuard[CallItem]:
    return item["type"] == "function_call"


def _is_reasoning(item: Item) -> TypeGuard[ReasoningItem]:
    return item["type"] == "reasoning"
