"""Streamed answers of the Messages API: the events, and the answer that they are put together to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal, Required, cast

from pydantic import with_config
from typing_extensions import TypedDict

from symposia.core.exceptions import PartialAnswer
from symposia.core.models import RequestUsage
from symposia.ext.models._answers import OPEN, json_parser, partial_answer
from symposia.ext.models._reported_errors import ReportedError, raise_reported
from symposia.ext.models._tool_calls import parse_arguments
from symposia.ext.models._wire_format import JsonObject
from symposia.ext.models.anthropic._answer import (
    Block,
    MessageWire,
    UsageWire,
    join_blocks,
    read_tool_uses,
    read_usage,
)


@with_config(OPEN)
class StartWire(TypedDict, total=False):
    """The answer at the start of a stream: without content."""

    usage: UsageWire | None


@with_config(OPEN)
class DeltaWire(TypedDict, total=False):
    """The addition of an event to a block, or to the message. The type decides which field is set."""

    type: str
    text: str
    thinking: str
    signature: str
    partial_json: str
    citation: object
    stop_reason: str | None


@with_config(OPEN)
class EventWire(TypedDict, total=False):
    """One event of a streamed answer. Its type says which fields there are."""

    type: Required[str]
    message: StartWire
    index: int
    content_block: Block
    delta: DeltaWire
    usage: UsageWire | None


_event: Final = json_parser(EventWire)

_TEXT_DELTAS: Final[Mapping[str, Literal["text", "thinking", "signature"]]] = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
}


class MessageAssembly:
    """A streamed answer that is being put together; see `StreamAssembly`.

    It is whole at ``message_stop``, which the vendor documents as the end, and not at the ``stop_reason`` in the event
    before it, since the vendor adds kinds of events without a new version. Blocks are found by their index, and not
    taken to be the latest that started, since each event names the index of its block.
    """

    def __init__(self) -> None:
        self.complete = False
        self._message: JsonObject | None = None
        self._blocks: dict[int, _Block] = {}
        self._usage: dict[str, object] = {}
        self._is_counted = False

    def feed(self, event: bytes) -> str:
        """Take the next event, and return the text that it adds to the answer.

        Raises:
            ValueError: It is not an event, or it reports an error.
        """
        one = _event(event)
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
                message, reason = self._started(), _required(one, "delta").get("stop_reason")
                message["stop_reason"] = reason or message.get("stop_reason")  # there may be several of these events
                self._count(one.get("usage"))
                self._is_counted = True
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
        return cast("MessageWire", {**self._started(), "content": self._content(), "usage": self._usage})

    @property
    def usage(self) -> RequestUsage:
        """See `StreamAssembly.usage`."""
        counted = read_usage(cast("UsageWire", self._usage))
        # At the start only the first tokens of the answer are counted, and all of them after its last block.
        return counted if self._is_counted or not self._blocks else replace(counted, completion_tokens=0)

    def partial(self) -> PartialAnswer:
        """See `StreamAssembly.partial`."""
        blocks = self._content()
        return partial_answer(
            join_blocks(blocks, "text"),
            join_blocks(blocks, "thinking"),
            read_tool_uses(block for block in blocks if block.get("name") != ""),
            self.usage,
        )

    def _content(self) -> list[Block]:
        return [self._blocks[index].whole() for index in sorted(self._blocks)]

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

    def _count(self, usage: Mapping[str, object] | None) -> None:
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

    def whole(self) -> Block:
        block = dict(self._start)
        for field, pieces in self._pieces.items():
            block[field] = f"{block.get(field, '')}{''.join(pieces)}"
        if arguments := "".join(self._input):
            block["input"] = parse_arguments(arguments)
        if self._citations:
            given = block.get("citations")
            block["citations"] = [*(cast("list[object]", given) if isinstance(given, list) else ()), *self._citations]
        return cast("Block", block)


def _required(wire: Mapping[str, object], field: str) -> Any:  # Any: of the field's type, which was checked
    if field not in wire:
        raise ValueError(f"an event of the stream has no {field!r}")
    return wire[field]
