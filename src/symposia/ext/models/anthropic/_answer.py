"""Answers of the Messages API: the wire, a whole answer as a `CreateResult`, and the assembly of a streamed one.

Answers are read as JSON and not as the SDK's classes, since blocks that the vendor wants back must stay as they came.
Fields that are not named here, and blocks and events of kinds that are not, are kept or ignored, since the vendor adds
some without a new version; those that are named have the right type.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Final, Literal, Required, TypeAlias, cast

from pydantic import ConfigDict, Discriminator, Tag, TypeAdapter, with_config
from pydantic_core import from_json
from typing_extensions import TypedDict  # pydantic cannot read that of `typing` before Python 3.12

from symposia.core import FunctionCall
from symposia.core.exceptions import PartialAnswer
from symposia.core.models import CreateResult, FinishReasons, RequestUsage, VendorBlocks
from symposia.ext.models._wire_format import ReportedError, TokenCount, raise_reported

# The wire ------------------------------------------------------------------------------------------------------------

_OPEN: Final = ConfigDict(extra="allow")

JsonObject: TypeAlias = dict[str, Any]


@with_config(_OPEN)
class TextBlock(TypedDict):
    type: Literal["text"]
    text: str


@with_config(_OPEN)
class ThinkingBlock(TypedDict):
    type: Literal["thinking"]
    thinking: str


@with_config(_OPEN)
class ToolUseBlock(TypedDict):
    type: Literal["tool_use"]
    id: str
    name: str
    input: JsonObject | str  # text, where the limit of tokens cut the arguments off


@with_config(_OPEN)
class OtherBlock(TypedDict):
    type: str


_KNOWN_BLOCKS: Final = frozenset({"text", "thinking", "tool_use"})


def _kind_of_block(block: object) -> str:
    kind = cast("Mapping[str, object]", block).get("type") if isinstance(block, Mapping) else None
    return kind if isinstance(kind, str) and kind in _KNOWN_BLOCKS else "other"


Block: TypeAlias = Annotated[
    Annotated[TextBlock, Tag("text")]
    | Annotated[ThinkingBlock, Tag("thinking")]
    | Annotated[ToolUseBlock, Tag("tool_use")]
    | Annotated[OtherBlock, Tag("other")],
    Discriminator(_kind_of_block),
]


@with_config(_OPEN)
class UsageWire(TypedDict, total=False):
    input_tokens: TokenCount | None
    cache_creation_input_tokens: TokenCount | None
    cache_read_input_tokens: TokenCount | None
    output_tokens: TokenCount | None


@with_config(_OPEN)
class MessageWire(TypedDict, total=False):
    """A whole answer."""

    content: Required[list[Block]]
    stop_reason: str | None
    usage: UsageWire | None


@with_config(_OPEN)
class StartWire(TypedDict, total=False):
    """The answer at the start of a stream: without content."""

    usage: UsageWire | None


@with_config(_OPEN)
class DeltaWire(TypedDict, total=False):
    """The addition of an event to a block, or to the message. The type decides which field is set."""

    type: str
    text: str
    thinking: str
    signature: str
    partial_json: str
    citation: object
    stop_reason: str | None


@with_config(_OPEN)
class EventWire(TypedDict, total=False):
    """One event of a streamed answer. Its type says which fields there are."""

    type: Required[str]
    message: StartWire
    index: int
    content_block: Block
    delta: DeltaWire
    usage: UsageWire | None


@cache  # making one takes milliseconds
def _messages() -> TypeAdapter[MessageWire]:
    return TypeAdapter(MessageWire)


@cache
def _events() -> TypeAdapter[EventWire]:
    return TypeAdapter(EventWire)


# Whole answers -------------------------------------------------------------------------------------------------------

VENDOR: Final = "anthropic"
FINISH_REASONS: Final[Mapping[str | None, FinishReasons]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "function_calls",
    "refusal": "content_filter",
}
_OPAQUE: Final = frozenset({"thinking", "redacted_thinking"})


def parse_message(data: bytes) -> MessageWire:
    """The body of a response, checked.

    Raises:
        ValueError: It is not an answer, or it reports an error.
    """
    try:
        return _messages().validate_json(data)
    except ValueError:
        raise_reported(data)
        raise


def read_message(message: MessageWire) -> CreateResult:
    """The result of an answer."""
    blocks = message["content"]
    calls = [_function_call(cast("ToolUseBlock", block)) for block in blocks if block["type"] == "tool_use"]
    text = "".join(cast("TextBlock", block)["text"] for block in blocks if block["type"] == "text")
    thinking = "".join(cast("ThinkingBlock", block)["thinking"] for block in blocks if block["type"] == "thinking")
    return CreateResult(
        finish_reason=FINISH_REASONS.get(message.get("stop_reason"), "unknown"),
        content=calls or text,
        usage=_usage(message.get("usage") or UsageWire()),
        cached=False,
        thought=("\n".join(filter(None, (thinking, text))) if calls else thinking) or None,
        vendor_blocks=_vendor_blocks(blocks),
    )


def _function_call(block: ToolUseBlock) -> FunctionCall:
    arguments = block["input"]
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return FunctionCall(id=block["id"], name=block["name"], arguments=text)


def _usage(usage: UsageWire) -> RequestUsage:
    """Tokens read from a cache are tokens of the prompt, too."""
    prompt = (usage.get("input_tokens"), usage.get("cache_creation_input_tokens"), usage.get("cache_read_input_tokens"))
    return RequestUsage(prompt_tokens=sum(filter(None, prompt)), completion_tokens=usage.get("output_tokens") or 0)


def _vendor_blocks(blocks: Sequence[Block]) -> VendorBlocks | None:
    """All blocks, in their order, if there are some that only the vendor understands."""
    if not any(block["type"] in _OPAQUE for block in blocks):
        return None
    return {VENDOR: [_sendable(cast("JsonObject", block)) for block in blocks]}


def _sendable(block: JsonObject) -> JsonObject:
    """A block as the API takes it back, which is as it came, but for arguments that were cut off in the middle."""
    if isinstance(arguments := block.get("input"), str):
        return {**block, "input": {"arguments": arguments}}
    return block


# Streamed answers ----------------------------------------------------------------------------------------------------

_TEXT_DELTAS: Final[Mapping[str, Literal["text", "thinking", "signature"]]] = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
}


class MessageAssembly:
    """A streamed answer that is being put together; see `StreamAssembly`. It is whole at ``message_stop``."""

    def __init__(self) -> None:
        self.complete = False
        self._message: JsonObject | None = None
        self._blocks: dict[int, _Block] = {}
        self._usage: dict[str, Any] = {}
        self._validate = _events().validate_json

    def feed(self, event: bytes) -> str:
        """Take the next event, and return the text that it adds to the answer.

        Raises:
            ValueError: It is not an event, or it reports an error.
        """
        one = self._validate(event)
        match one["type"]:
            case "message_start":
                if self._message is not None:
                    raise ValueError("the stream has a second message_start")
                self._message = cast("JsonObject", dict(_required(one, "message")))
                self._count(self._message.get("usage"))
            case "content_block_start":
                return self._start_block(_required(one, "index"), _required(one, "content_block"))
            case "content_block_delta":
                return self._block(_required(one, "index")).feed(_required(one, "delta"))
            case "message_delta":
                self._started()["stop_reason"] = _required(one, "delta").get("stop_reason")
                self._count(one.get("usage"))
            case "message_stop":
                self._started()
                self.complete = True
            case "error":
                raise_reported(event)
                raise ReportedError(event.decode(errors="replace"))
            case _:
                pass
        return ""

    def whole(self) -> MessageWire:
        """The answer as it would have come without streaming.

        Raises:
            ValueError: Its end has not come.
        """
        if not self.complete:
            raise ValueError("no message_stop came")
        content = [self._blocks[index].whole() for index in sorted(self._blocks)]
        return cast("MessageWire", {**self._started(), "content": content, "usage": self._usage})

    def partial(self) -> PartialAnswer:
        """See `StreamAssembly.partial`."""
        blocks = [self._blocks[index].whole() for index in sorted(self._blocks)]
        usage = _usage(cast("UsageWire", self._usage))
        return PartialAnswer(
            text="".join(block["text"] for block in blocks if block["type"] == "text"),
            thought="".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
            tool_calls=[
                {
                    "id": block["id"],
                    "name": block["name"],
                    "arguments": _function_call(cast("ToolUseBlock", block)).arguments,
                }
                for block in blocks
                if block["type"] == "tool_use"
            ],
            usage={"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens},
        )

    def _started(self) -> JsonObject:
        if self._message is None:
            raise ValueError("the stream does not begin with message_start")
        return self._message

    def _start_block(self, index: int, start: Block) -> str:
        if index in self._blocks:
            raise ValueError(f"the stream starts block {index} twice")
        self._blocks[index] = block = _Block(start)
        return block.text

    def _block(self, index: int) -> _Block:
        if index not in self._blocks:
            raise ValueError(f"the stream has a delta of block {index}, which has not started")
        return self._blocks[index]

    def _count(self, usage: Mapping[str, Any] | None) -> None:
        """The counts of tokens are running totals, and those that are left out have not changed."""
        self._usage.update({name: count for name, count in (usage or {}).items() if count is not None})


class _Block:
    """A content block whose long fields are still coming."""

    def __init__(self, start: Block) -> None:
        self._start = cast("JsonObject", start)
        self._pieces: dict[str, list[str]] = {}
        self._input: list[str] = []
        self._citations: list[object] = []

    @property
    def text(self) -> str:
        return self._start["text"] if self._start["type"] == "text" else ""

    def feed(self, delta: DeltaWire) -> str:
        kind = _required(delta, "type")
        if kind == "input_json_delta":
            self._input.append(_required(delta, "partial_json"))
        elif kind == "citations_delta":
            self._citations.append(_required(delta, "citation"))
        elif (field := _TEXT_DELTAS.get(kind)) is not None:
            piece = cast("str", _required(delta, field))
            if not self._takes(field):
                raise ValueError(f"the stream has a {kind} for a block of type {self._start['type']!r}")
            self._pieces.setdefault(field, []).append(piece)
            return piece if field == "text" else ""
        return ""

    def _takes(self, field: str) -> bool:
        return self._start["type"] == ("text" if field == "text" else "thinking")

    def whole(self) -> JsonObject:
        block = dict(self._start)
        for field, pieces in self._pieces.items():
            block[field] = f"{block.get(field, '')}{''.join(pieces)}"
        if arguments := "".join(self._input):
            parsed = parse_arguments(arguments)
            block["input"] = parsed if isinstance(parsed, dict) else arguments
        if self._citations:
            given = block.get("citations")
            block["citations"] = [*(cast("list[object]", given) if isinstance(given, list) else ()), *self._citations]
        return block


def parse_arguments(text: str) -> object:
    """Arguments as JSON; as text where that is not possible: they were cut off, or nest deeper than parsers go."""
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        return text


def _required(wire: Mapping[str, Any], field: str) -> Any:  # Any: of the field's type, which was checked
    if field not in wire:
        raise ValueError(f"an event of the stream has no {field!r}")
    return wire[field]
