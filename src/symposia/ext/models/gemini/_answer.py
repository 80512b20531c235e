"""Answers of `generateContent`: the wire, a whole answer as a `CreateResult`, and the assembly of a stream.

Answers are read as JSON and not as the SDK's classes, since parts with signatures must be returned as they came. Fields
that are not named here are kept. The same type holds for a whole answer and for an event of a stream.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Required, cast

from pydantic import with_config
from typing_extensions import TypedDict

from symposia.core import FunctionCall
from symposia.core.exceptions import PartialAnswer
from symposia.core.models import CreateResult, FinishReasons, RequestUsage, VendorBlocks
from symposia.ext.models._answers import OPEN, TokenCount, create_result, json_parser, partial_answer
from symposia.ext.models._reported_errors import raise_reported
from symposia.ext.models._tool_calls import new_call_id, read_call
from symposia.ext.models._wire_format import JsonObject

# The wire ------------------------------------------------------------------------------------------------------------


@with_config(OPEN)
class CallWire(TypedDict, total=False):
    """A tool call. Older models give it no id."""

    id: str | None
    name: Required[str]
    args: JsonObject | None


@with_config(OPEN)
class Part(TypedDict, total=False):
    """A part of a content: a text, a thought, a call, or of another kind."""

    text: str
    thought: bool
    thoughtSignature: str
    functionCall: CallWire


@with_config(OPEN)
class ContentWire(TypedDict, total=False):
    parts: list[Part] | None


@with_config(OPEN)
class CandidateWire(TypedDict, total=False):
    """An answer. One that a filter stopped may have no content."""

    content: ContentWire | None
    finishReason: str | None


@with_config(OPEN)
class FeedbackWire(TypedDict, total=False):
    """The verdict on the prompt."""

    blockReason: str | None


@with_config(OPEN)
class UsageWire(TypedDict, total=False):
    promptTokenCount: TokenCount | None
    toolUsePromptTokenCount: TokenCount | None
    candidatesTokenCount: TokenCount | None
    thoughtsTokenCount: TokenCount | None
    cachedContentTokenCount: TokenCount | None


@with_config(OPEN)
class ResponseWire(TypedDict, total=False):
    """A whole answer, or an event of a stream."""

    candidates: list[CandidateWire] | None
    promptFeedback: FeedbackWire | None
    usageMetadata: UsageWire | None


_response: Final = json_parser(ResponseWire)


def parse_event(data: bytes) -> ResponseWire:
    """An event of a stream, checked.

    Raises:
        ValueError: It is none, or it reports an error.
    """
    response = _response(data)
    if not response.keys() & ResponseWire.__optional_keys__:  # all fields are optional, so that an error fits as well
        raise_reported(data)
        raise ValueError("candidates: Field required")
    return response


def parse_response(data: bytes) -> ResponseWire:
    """The body of a response, checked to be a whole answer.

    Raises:
        ValueError: It is not, or it reports an error.
    """
    response = parse_event(data)
    if _finish_reason(response) is None:
        raise ValueError("the answer has neither a finishReason nor a blockReason")
    return response


# The result ----------------------------------------------------------------------------------------------------------

VENDOR: Final = "gemini"
_BLOCKED: Final = "blocked"
FINISH_REASONS: Final[Mapping[str, FinishReasons]] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(
        (
            "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR",
            "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", _BLOCKED,
        ),
        "content_filter",
    ),
}  # fmt: skip
"""By the API's reference; a reason that is not listed, such as ``MALFORMED_FUNCTION_CALL``, is unknown here."""


def _finish_reason(response: ResponseWire) -> str | None:
    if (response.get("promptFeedback") or {}).get("blockReason"):
        return _BLOCKED
    return next((reason for one in response.get("candidates") or () if (reason := one.get("finishReason"))), None)


def parts_of(response: ResponseWire) -> Sequence[Part]:
    """The parts of the first answer: further ones come only if they are asked for, and have no place in a result."""
    candidates = response.get("candidates") or ()
    return ((candidates[0].get("content") or {}).get("parts") or ()) if candidates else ()


def read_response(response: ResponseWire) -> CreateResult:
    """The result of an answer.

    Raises:
        ValueError: A call has no name.
    """
    parts = _with_call_ids(parts_of(response))
    return create_result(
        join_texts(parts, thought=False),
        join_texts(parts, thought=True),
        read_function_calls(parts),
        FINISH_REASONS.get(_finish_reason(response) or "", "unknown"),
        read_usage(response.get("usageMetadata") or UsageWire()),
        vendor_blocks=_vendor_blocks(parts),
    )


def join_texts(parts: Sequence[Part], *, thought: bool) -> str:
    """The text of the answer, or of the thoughts."""
    return "".join(part.get("text", "") for part in parts if part.get("thought", False) is thought)


def read_function_calls(parts: Sequence[Part]) -> list[FunctionCall]:
    """The tool calls.

    Raises:
        ValueError: One has no name.
    """
    calls = (part["functionCall"] for part in parts if "functionCall" in part)
    return [read_call(call.get("id") or "", call["name"], call.get("args") or {}) for call in calls]


def read_usage(usage: UsageWire) -> RequestUsage:
    """The tokens of a request. Those of thoughts are counted apart by the vendor, and are of the completion here."""
    thoughts = usage.get("thoughtsTokenCount") or 0
    return RequestUsage(
        prompt_tokens=(usage.get("promptTokenCount") or 0) + (usage.get("toolUsePromptTokenCount") or 0),
        completion_tokens=(usage.get("candidatesTokenCount") or 0) + thoughts,
        cached_tokens=usage.get("cachedContentTokenCount") or 0,
        reasoning_tokens=thoughts,
    )


def _with_call_ids(parts: Sequence[Part]) -> Sequence[Part]:
    """The parts with an id for each call: results are matched by them."""
    if all(part["functionCall"].get("id") for part in parts if "functionCall" in part):
        return parts
    return [
        {**part, "functionCall": {**call, "id": call.get("id") or new_call_id()}}
        if (call := part.get("functionCall")) is not None
        else part
        for part in parts
    ]


def _vendor_blocks(parts: Sequence[Part]) -> VendorBlocks | None:
    """All parts, in their order, if there are some that only the vendor understands: signed ones, code that it ran."""
    known = {"text", "thought", "functionCall"}
    if all(part.keys() <= known for part in parts):
        return None
    return {VENDOR: [cast("JsonObject", part) for part in parts]}


# Streams -------------------------------------------------------------------------------------------------------------


class ResponseAssembly:
    """A streamed answer that is being put together; see `StreamAssembly`.

    It never calls itself complete: models before Gemini 2 set a ``finishReason`` in every event. The end of the bytes
    ends it, and a ``finishReason`` or a blocked prompt must have come by then.
    """

    complete = False

    def __init__(self) -> None:
        self._parts: list[_GrowingPart] = []
        self._rest: JsonObject = {}
        self._candidate: JsonObject = {}

    def feed(self, event: bytes) -> str:
        """Take the next event, and return the text that it adds to the answer.

        Raises:
            ValueError: It is not an event, or it reports an error.
        """
        response = parse_event(event)
        candidates = response.get("candidates") or ()
        if candidates:
            self._candidate.update({name: value for name, value in candidates[0].items() if value is not None})
        self._rest.update({
            name: value for name, value in response.items() if value is not None and name != "candidates"
        })  # fmt: skip
        parts = parts_of(response)
        for part in parts:
            if part.keys() <= _JOINED and not part.get("text"):
                continue  # as in the last event; it would be refused in the next request
            if not (self._parts and self._parts[-1].join(part)):
                self._parts.append(_GrowingPart(part))
        return join_texts(parts, thought=False)

    def whole(self) -> ResponseWire:
        """The answer as it would have come without streaming.

        Raises:
            ValueError: Its end has not come.
        """
        response = self._response()
        if _finish_reason(response) is None:
            raise ValueError("no finishReason came")
        return response

    @property
    def usage(self) -> RequestUsage:
        """See `StreamAssembly.usage`."""
        return read_usage(cast("UsageWire", self._rest.get("usageMetadata", {})))

    def partial(self) -> PartialAnswer:
        """See `StreamAssembly.partial`."""
        parts = parts_of(self._response())
        named = [part for part in parts if part.get("functionCall", {}).get("name")]
        texts = [join_texts(parts, thought=thought) for thought in (False, True)]
        return partial_answer(texts[0], texts[1], read_function_calls(named), self.usage)

    def _response(self) -> ResponseWire:
        if not self._candidate:
            return cast("ResponseWire", self._rest)
        content = {"role": "model", "parts": [part.whole() for part in self._parts]}
        return cast("ResponseWire", {**self._rest, "candidates": [{**self._candidate, "content": content}]})


_JOINED: Final = frozenset({"text", "thought"})


class _GrowingPart:
    """A part whose text is still coming. Parts with a signature are not joined to others: the vendor forbids it."""

    def __init__(self, start: Part) -> None:
        self._start = start
        self._texts = [start["text"]] if "text" in start else []

    def join(self, part: Part) -> bool:
        """Add a further piece; False if it is a part of its own."""
        grows = "text" in part and self._start.keys() <= _JOINED and part.keys() <= _JOINED and bool(self._texts)
        if not grows or part.get("thought") != self._start.get("thought"):
            return False
        self._texts.append(part.get("text", ""))
        return True

    def whole(self) -> Part:
        return {**self._start, "text": "".join(self._texts)} if self._texts else self._start
