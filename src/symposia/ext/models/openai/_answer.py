"""Answers of Chat Completions: the wire, a whole answer as a `CreateResult`, and the assembly of a streamed one.

Every field may be missing but those without which there is no answer, since compatible vendors leave some out; a field
that is there has the right type. Pydantic parses and checks in one step, in compiled code: building the SDK's classes
takes 80 microseconds a streamed chunk (openai 3.52), this takes 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, Final, Literal, Required, TypeAlias, cast
from uuid import uuid4

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict  # pydantic cannot read that of `typing` before Python 3.12

from symposia.core import FunctionCall
from symposia.core.exceptions import PartialAnswer
from symposia.core.models import (
    AssistantMessage,
    ChatCompletionTokenLogprob,
    CreateResult,
    FinishReasons,
    RequestUsage,
    TopLogprob,
    VendorBlocks,
)
from symposia.ext.models._wire_format import TokenCount, raise_reported

# The wire ------------------------------------------------------------------------------------------------------------

_OPEN: Final = ConfigDict(extra="allow")  # what compatible vendors add is kept, and some of it goes back to them

Logprob: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]


@with_config(_OPEN)
class FunctionWire(TypedDict, total=False):
    name: str | None
    arguments: str | None


@with_config(_OPEN)
class ToolCallWire(TypedDict, total=False):
    index: int | None
    id: str | None
    function: FunctionWire | None


@with_config(_OPEN)
class MessageWire(TypedDict, total=False):
    """A message of the model, or what a streamed chunk adds to one."""

    content: str | None
    refusal: str | None
    reasoning_content: str | None
    reasoning_details: list[dict[str, Any]] | None  # a compatible vendor's own
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


class DeltaWire(TypedDict, total=False):
    """A choice of a streamed chunk."""

    index: int | None
    delta: MessageWire | None
    message: object
    finish_reason: str | None
    logprobs: LogprobsWire | None


class UsageWire(TypedDict, total=False):
    prompt_tokens: TokenCount | None
    completion_tokens: TokenCount | None


@with_config(_OPEN)
class CompletionWire(TypedDict, total=False):
    """A whole answer."""

    choices: Required[Annotated[list[ChoiceWire], Field(min_length=1)]]
    usage: UsageWire | None


@with_config(_OPEN)
class ChunkWire(TypedDict, total=False):
    """A chunk of a streamed answer. The one with the usage has no choices."""

    id: object
    model: object
    choices: list[DeltaWire] | None
    usage: UsageWire | None


@cache  # making one takes milliseconds
def _completions() -> TypeAdapter[CompletionWire]:
    return TypeAdapter(CompletionWire)


@cache
def _chunks() -> TypeAdapter[ChunkWire]:
    return TypeAdapter(ChunkWire)


# Whole answers -------------------------------------------------------------------------------------------------------

FINISH_REASONS: Final[Mapping[str | None, FinishReasons]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "function_calls",
    "function_call": "function_calls",
    "content_filter": "content_filter",
}


def parse_completion(data: bytes) -> CompletionWire:
    """The body of a response, checked.

    Raises:
        ValueError: It is not an answer, or it reports an error.
    """
    try:
        completion = _completions().validate_json(data)
    except ValueError:
        raise_reported(data)
        raise
    if _is_blank(completion["choices"][0]):
        raise ValueError("the answer has neither content nor a finish_reason")
    return completion


def read_completion(completion: CompletionWire) -> CreateResult:
    """The result of an answer.

    Raises:
        ValueError: It has a tool call without a name.
    """
    choice = completion["choices"][0]
    message = _with_call_ids(choice["message"])
    calls = [_function_call(call) for call in message.get("tool_calls") or ()]
    text = message.get("content") or message.get("refusal") or ""
    reasoning = message.get("reasoning_content") or ""
    return CreateResult(
        finish_reason=_finish_reason(choice, has_calls=bool(calls)),
        content=calls or text,
        usage=_usage(completion.get("usage")),
        cached=False,
        logprobs=_logprobs(choice),
        thought=("\n".join(filter(None, (reasoning, text))) if calls else reasoning) or None,
        vendor_blocks=_opaque_blocks(message),
    )


def _is_blank(choice: ChoiceWire) -> bool:
    """Whether the answer is missing. No content with a finish_reason is an answer: a model may return nothing."""
    message = choice["message"]
    return choice.get("finish_reason") is None and all(
        message.get(field) is None for field in ("content", "refusal", "reasoning_content", "tool_calls")
    )


def _finish_reason(choice: ChoiceWire, *, has_calls: bool) -> FinishReasons:
    """Why the model stopped; a call that was forced by its name says "stop" as well."""
    reason: FinishReasons = FINISH_REASONS.get(choice.get("finish_reason"), "unknown")
    return "function_calls" if has_calls and reason == "stop" else reason


def _function_call(call: ToolCallWire) -> FunctionCall:
    function = call.get("function") or FunctionWire()
    if not (name := function.get("name")):
        raise ValueError("a tool call has no name")
    return FunctionCall(id=call.get("id") or "", name=name, arguments=function.get("arguments") or "")


def _with_call_ids(message: MessageWire) -> MessageWire:
    """The message with an id for each call. Google's endpoint has left them empty; results are matched by them."""
    calls = message.get("tool_calls") or []
    if all(call.get("id") for call in calls):
        return message
    return {**message, "tool_calls": [{**call, "id": call.get("id") or f"call_{uuid4().hex}"} for call in calls]}


def _usage(usage: UsageWire | None) -> RequestUsage:
    usage = usage or {}
    return RequestUsage(
        prompt_tokens=usage.get("prompt_tokens") or 0, completion_tokens=usage.get("completion_tokens") or 0
    )


def _logprobs(choice: ChoiceWire) -> list[ChatCompletionTokenLogprob] | None:
    content = (choice.get("logprobs") or LogprobsWire()).get("content")
    return [_token(entry) for entry in content] if content else None


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
# OpenRouter keeps ``reasoning_details``, DeepSeek needs its ``reasoning_content`` again; each answers with status 400,
# or thinks worse, without.

VENDOR: Final = "openai"
_OPAQUE: Final = ("reasoning_content", "reasoning_details")
_RETURNED: Final = (*_OPAQUE, "content")
_OWN_CALL_FIELDS: Final = frozenset({"index", "id", "type", "function"})


def _opaque_blocks(message: MessageWire) -> VendorBlocks | None:
    """The fields of an answer with tool calls that the vendor needs in the next request."""
    calls = message.get("tool_calls") or []
    fields: dict[str, object] = {name: field for name in _OPAQUE if (field := message.get(name))}
    if extras := {call.get("id") or "": extra for call in calls if (extra := _extra_fields(call))}:
        fields["tool_calls"] = extras
    return {VENDOR: [{**fields, "content": message.get("content")}]} if calls and fields else None


def with_opaque_fields(wire: dict[str, Any], message: AssistantMessage) -> dict[str, Any]:
    """The message again as the vendor sent it."""
    for fields in (message.vendor_blocks or {}).get(VENDOR, ()):
        extras: Any = fields.get("tool_calls", {})  # as `_opaque_blocks` wrote it: fields by the call's id
        wire["tool_calls"] = [{**call, **extras.get(call["id"], {})} for call in wire["tool_calls"]]
        wire.update({name: fields[name] for name in _RETURNED if name in fields})
    return wire


def _extra_fields(call: ToolCallWire) -> dict[str, object]:
    return {name: value for name, value in call.items() if name not in _OWN_CALL_FIELDS}


# Streamed answers ----------------------------------------------------------------------------------------------------

TextField: TypeAlias = Literal["content", "refusal", "reasoning_content"]
_TEXT_FIELDS: Final[tuple[TextField, ...]] = ("content", "refusal", "reasoning_content")
_DONE: Final = b"[DONE]"


class CompletionAssembly:
    """A streamed answer that is being put together; see `StreamAssembly`.

    The answer is whole when a ``finish_reason`` came. ``[DONE]`` alone is not enough, since proxies send it after an
    upstream that broke off; and it may be missing, since some servers never send it.
    """

    def __init__(self) -> None:
        self.complete = False
        self._texts: dict[TextField, list[str]] = {field: [] for field in _TEXT_FIELDS}
        self._calls = _ToolCalls()
        self._details: list[dict[str, Any]] = []  # a compatible vendor's own
        self._logprobs: list[LogprobWire] = []
        self._finish_reason: str | None = None
        self._usage: UsageWire | None = None
        self._labels: dict[str, object] = {}
        self._validate = _chunks().validate_json

    def feed(self, event: bytes) -> str:
        """Take the next chunk, and return the text that it adds to the answer.

        Raises:
            ValueError: It is not a chunk, or it reports an error.
        """
        if event.startswith(_DONE):
            self.complete = True
            return ""
        try:
            chunk = self._validate(event)
        except ValueError:
            raise_reported(event)
            raise
        if "error" in chunk:
            raise_reported(event)
        if not self._labels:
            self._labels = {"id": chunk.get("id"), "model": chunk.get("model")}
        self._usage = chunk.get("usage") or self._usage
        return "".join([self._feed_choice(choice) for choice in chunk.get("choices") or () if not choice.get("index")])

    def whole(self) -> CompletionWire:
        """The answer as it would have come without streaming.

        Raises:
            ValueError: Its end has not come.
        """
        if self._finish_reason is None:
            raise ValueError("no finish_reason came")
        message = MessageWire()
        for field, pieces in self._texts.items():
            message[field] = "".join(pieces) or None
        message["tool_calls"] = self._calls.whole()
        message["reasoning_details"] = self._details or None
        choice = ChoiceWire(message=message, finish_reason=self._finish_reason, logprobs={"content": self._logprobs})
        return cast("CompletionWire", {**self._labels, "choices": [choice], "usage": self._usage})

    def partial(self) -> PartialAnswer:
        """See `StreamAssembly.partial`."""
        usage = _usage(self._usage)
        return PartialAnswer(
            text="".join(self._texts["content"] or self._texts["refusal"]),
            thought="".join(self._texts["reasoning_content"]),
            tool_calls=[_partial_call(call) for call in self._calls.whole() or ()],
            usage={"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens},
        )

    def _feed_choice(self, choice: DeltaWire) -> str:
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        if logprobs := choice.get("logprobs"):
            self._logprobs.extend(logprobs.get("content") or ())
        delta = choice.get("delta")
        if delta is None:
            if choice.get("message") is not None:
                raise ValueError("a chunk has a whole message in place of a delta")
            return ""
        for field in _TEXT_FIELDS:
            if piece := delta.get(field):
                self._texts[field].append(piece)
        if details := delta.get("reasoning_details"):
            self._details.extend(details)
        for call in delta.get("tool_calls") or ():
            self._calls.feed(call)
        return delta.get("content") or delta.get("refusal") or ""


def _partial_call(call: ToolCallWire) -> dict[str, str]:
    function = call.get("function") or FunctionWire()
    return {
        "id": call.get("id") or "",
        "name": function.get("name") or "",
        "arguments": function.get("arguments") or "",
    }


class _ToolCalls:
    """Several calls, whose pieces may come interleaved."""

    def __init__(self) -> None:
        self._calls: list[_ToolCall] = []
        self._latest: dict[int, _ToolCall] = {}

    def feed(self, piece: ToolCallWire) -> None:
        index = piece.get("index") or 0
        call = self._latest.get(index)
        if call is None or call.is_other_than(piece):
            call = self._latest[index] = _ToolCall(index)
            self._calls.append(call)
        call.feed(piece)

    def whole(self) -> list[ToolCallWire] | None:
        return [call.whole() for call in sorted(self._calls, key=attrgetter("index"))] or None


class _ToolCall:
    def __init__(self, index: int) -> None:
        self.index = index
        self._fields = ToolCallWire()
        self._name: str | None = None
        self._arguments: list[str] = []

    def is_other_than(self, piece: ToolCallWire) -> bool:
        """Whether a piece belongs to another call: some vendors number all calls 0, each with its own id."""
        return piece.get("id") not in (None, "", self._fields.get("id"))

    def feed(self, piece: ToolCallWire) -> None:
        function = piece.get("function") or FunctionWire()
        self._name = self._name or function.get("name")
        self._arguments.append(function.get("arguments") or "")
        given = {name: value for name, value in piece.items() if value and name != "function"}
        self._fields.update(cast("ToolCallWire", given))

    def whole(self) -> ToolCallWire:
        return {**self._fields, "function": {"name": self._name, "arguments": "".join(self._arguments)}}
