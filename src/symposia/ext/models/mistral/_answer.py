"""Answers of Mistral's chat: the wire, a whole answer as a `CreateResult`, and the assembly of a stream.

A content is a text, or a list of chunks once the model thinks: ``thinking`` chunks, whose text is in chunks of their
own, and ``text`` chunks. The last event of a stream that is not ``[DONE]`` has the ``finish_reason`` and the usage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final, Required, TypeAlias, cast
from uuid import uuid4

from pydantic import Discriminator, Field, Tag, with_config
from typing_extensions import TypedDict

from symposia.core.exceptions import PartialAnswer
from symposia.core.models import CreateResult, FinishReasons, RequestUsage, VendorBlocks
from symposia.ext.models._answers import OPEN, TokenCount, create_result, json_parser, partial_answer
from symposia.ext.models._reported_errors import raise_reported
from symposia.ext.models._tool_calls import (
    FunctionWire,
    ToolCallAssembly,
    ToolCallWire,
    arguments_text,
    read_calls,
    read_named_calls,
    with_ids,
)
from symposia.ext.models._wire_format import JsonObject


@with_config(OPEN)
class CalledFunctionWire(TypedDict, total=False):
    """A function to call. The SDK allows arguments that are parsed already."""

    name: str | None
    arguments: str | JsonObject | None


@with_config(OPEN)
class CallWire(TypedDict, total=False):
    id: str | None
    index: int | None
    function: Required[CalledFunctionWire]


@with_config(OPEN)
class InnerChunk(TypedDict, total=False):
    """A chunk of a thinking: a text, or a reference."""

    text: str


@with_config(OPEN)
class Chunk(TypedDict, total=False):
    """A chunk of a content: a text, a thinking, or of another kind."""

    type: str
    text: str
    thinking: list[InnerChunk]
    signature: str | None


def _kind(content: object) -> str:
    return "chunks" if isinstance(content, list) else "text"


# Without the discriminator, the error of a wrong chunk would say that the content is no text.
Content: TypeAlias = (
    Annotated[Annotated[str, Tag("text")] | Annotated[list[Chunk], Tag("chunks")], Discriminator(_kind)] | None
)


@with_config(OPEN)
class MessageWire(TypedDict, total=False):
    """A message of the model, or what an event adds to one."""

    content: Content
    tool_calls: list[CallWire] | None


@with_config(OPEN)
class ChoiceWire(TypedDict, total=False):
    index: int | None
    message: Required[MessageWire]
    finish_reason: Required[str]


@with_config(OPEN)
class DeltaWire(TypedDict, total=False):
    """A choice of an event."""

    index: int | None
    delta: Required[MessageWire]
    finish_reason: str | None


class PromptDetailsWire(TypedDict, total=False):
    cached_tokens: TokenCount | None


class UsageWire(TypedDict, total=False):
    """The tokens of a request. Those from the prompt cache are in the details, or in a field beside them."""

    prompt_tokens: TokenCount | None
    completion_tokens: TokenCount | None
    prompt_tokens_details: PromptDetailsWire | None
    num_cached_tokens: TokenCount | None


@with_config(OPEN)
class CompletionWire(TypedDict, total=False):
    """A whole answer."""

    choices: Required[Annotated[list[ChoiceWire], Field(min_length=1)]]
    usage: UsageWire | None


@with_config(OPEN)
class EventWire(TypedDict, total=False):
    """An event of a streamed answer."""

    id: object
    model: object
    choices: Required[list[DeltaWire]]
    usage: UsageWire | None


parse_completion: Final = json_parser(CompletionWire)
_event: Final = json_parser(EventWire)

# The result ----------------------------------------------------------------------------------------------------------

VENDOR: Final = "mistral"
FINISH_REASONS: Final[Mapping[str, FinishReasons]] = {
    "stop": "stop",
    "length": "length",
    "model_length": "length",  # the context is full
    "tool_calls": "function_calls",
    "content_filter": "content_filter",
}
"""By the API's reference; ``error`` is unknown here. The filter's reason is that of servers with Mistral's models."""


def read_completion(completion: CompletionWire) -> CreateResult:
    """The result of an answer.

    Raises:
        ValueError: A tool call has no name.
    """
    choice = completion["choices"][0]
    message = choice["message"]
    text, thinking = texts_of(message.get("content"))
    return create_result(
        text,
        thinking,
        read_calls(with_ids(map(_plain_call, message.get("tool_calls") or ()), _new_id)),
        FINISH_REASONS.get(choice["finish_reason"], "unknown"),
        read_usage(completion.get("usage")),
        vendor_blocks=_vendor_blocks(message),
    )


def texts_of(content: Content) -> tuple[str, str]:
    """The text and the thinking of a content."""
    if content is None or isinstance(content, str):
        return content or "", ""
    thinking = (inner.get("text", "") for chunk in content for inner in chunk.get("thinking", ()))
    return "".join(chunk.get("text", "") for chunk in content), "".join(thinking)


def _plain_call(call: CallWire) -> ToolCallWire:
    """A call as other vendors write it: with arguments as text, and without the id "null", the SDK's word for none."""
    function = call["function"]
    plain = FunctionWire(name=function.get("name"), arguments=arguments_text(function.get("arguments") or ""))
    identity = call.get("id")
    return {"id": None if identity == "null" else identity, "index": call.get("index"), "function": plain}


def _new_id() -> str:
    return uuid4().hex[:ID_LENGTH]


ID_LENGTH: Final = 9
"""Characters of a tool call's id: the vendor takes no other length."""


def read_usage(usage: UsageWire | None) -> RequestUsage:
    """The tokens of a request. Those of thinking are among the completion's, and not counted apart."""
    usage = usage or {}
    details = usage.get("prompt_tokens_details") or {}
    return RequestUsage(
        prompt_tokens=usage.get("prompt_tokens") or 0,
        completion_tokens=usage.get("completion_tokens") or 0,
        cached_tokens=details.get("cached_tokens") or usage.get("num_cached_tokens") or 0,
    )


def _vendor_blocks(message: MessageWire) -> VendorBlocks | None:
    """The chunks of a content that the vendor needs again: thinking before calls, and thinking that it signed."""
    content = message.get("content")
    if not isinstance(content, list):
        return None
    thinking = [chunk for chunk in content if "thinking" in chunk]
    needed = thinking and (message.get("tool_calls") or any(chunk.get("signature") for chunk in thinking))
    return {VENDOR: [cast("JsonObject", chunk) for chunk in content]} if needed else None


# Streams -------------------------------------------------------------------------------------------------------------

_DONE: Final = b"[DONE]"


class CompletionAssembly:
    """A streamed answer that is being put together; see `StreamAssembly`.

    ``[DONE]`` alone does not make it whole: a ``finish_reason`` must have come.
    """

    def __init__(self) -> None:
        self.complete = False
        self._chunks: list[_GrowingChunk] = []
        self._calls = ToolCallAssembly()
        self._finish_reason: str | None = None
        self._usage: UsageWire | None = None
        self._labels: JsonObject = {}

    def feed(self, event: bytes) -> str:
        """Take the next event, and return the text that it adds to the answer.

        Raises:
            ValueError: It is not an event, or it reports an error.
        """
        if event.startswith(_DONE):
            self.complete = True
            return ""
        piece = _event(event)
        if "error" in piece:
            raise_reported(event)
        if not self._labels:
            self._labels = {"id": piece.get("id"), "model": piece.get("model")}
        self._usage = piece.get("usage") or self._usage
        return "".join([self._feed_choice(choice) for choice in piece["choices"] if not choice.get("index")])

    def _feed_choice(self, choice: DeltaWire) -> str:
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        delta = choice["delta"]
        content = delta.get("content") or ()
        chunks: Iterable[Chunk] = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for chunk in chunks:
            if not (self._chunks and self._chunks[-1].join(chunk)):
                self._chunks.append(_GrowingChunk(chunk))
        for call in delta.get("tool_calls") or ():
            self._calls.feed(_plain_call(call))
        return "".join(chunk.get("text", "") for chunk in chunks)

    def whole(self) -> CompletionWire:
        """The answer as it would have come without streaming.

        Raises:
            ValueError: Its end has not come.
        """
        if self._finish_reason is None:
            raise ValueError("no finish_reason came")
        message = MessageWire(content=self._content(), tool_calls=cast("list[CallWire]", self._calls.whole()))
        choice = ChoiceWire(message=message, finish_reason=self._finish_reason)
        return cast("CompletionWire", {**self._labels, "choices": [choice], "usage": self._usage})

    @property
    def usage(self) -> RequestUsage:
        """See `StreamAssembly.usage`."""
        return read_usage(self._usage)

    def partial(self) -> PartialAnswer:
        """See `StreamAssembly.partial`."""
        text, thinking = texts_of(self._content())
        return partial_answer(text, thinking, read_named_calls(self._calls.whole()), self.usage)

    def _content(self) -> Content:
        chunks = [chunk.whole() for chunk in self._chunks]
        plain = all(chunk.keys() <= {"type", "text"} for chunk in chunks)
        return "".join(chunk.get("text", "") for chunk in chunks) if plain else chunks


class _GrowingChunk:
    """A chunk whose text is still coming. Its pieces are joined once, at the end."""

    def __init__(self, start: Chunk) -> None:
        self._start = start
        self._pieces = [start]

    def join(self, piece: Chunk) -> bool:
        """Add a further piece; False if it is a chunk of its own."""
        grows = any(kind in self._start and kind in piece for kind in ("text", "thinking"))
        if grows:
            self._pieces.append(piece)
        return grows

    def whole(self) -> Chunk:
        joined: Chunk = {**self._start}
        for piece in self._pieces[1:]:
            joined = {**joined, **piece}  # a signature comes with the last
        if "text" in joined:
            joined["text"] = "".join(piece.get("text", "") for piece in self._pieces)
        if "thinking" in joined:
            joined["thinking"] = _joined_texts([inner for piece in self._pieces for inner in piece.get("thinking", ())])
        return joined


def _joined_texts(chunks: Sequence[InnerChunk]) -> list[InnerChunk]:
    """Chunks of a thinking, as one where all are texts."""
    if any(chunk.keys() - {"type", "text"} for chunk in chunks):
        return list(chunks)
    return [cast("InnerChunk", {"type": "text", "text": "".join(chunk.get("text", "") for chunk in chunks)})]
