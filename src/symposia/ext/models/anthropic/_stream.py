"""Streamed events of the Messages API put together to the answer that they are pieces of. No I/O happens here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, cast

from symposia.ext.models.anthropic._wire import Block, EventWire, MessageWire

_TEXT_DELTAS: Final[Mapping[str, str]] = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
}


class MessageAssembly:
    """Takes events in the order in which they came."""

    def __init__(self) -> None:
        self._message = MessageWire()
        self._blocks: dict[int, _Block] = {}
        self._ended = False

    def feed(self, event: object) -> str:
        """Take the next event, and say which text it adds to the answer."""
        if not isinstance(event, Mapping):
            return ""
        one = cast("EventWire", event)
        match one.get("type"):
            case "message_start":
                self._message = MessageWire(**one.get("message", {}))
            case "content_block_start":
                self._blocks[one.get("index", 0)] = block = _Block(one.get("content_block", {}))
                return block.text
            case "content_block_delta":
                return self._blocks[one.get("index", 0)].feed(one.get("delta", {}))
            case "message_delta":
                self._feed_message(one)
            case "message_stop":
                self._ended = True
            case _:
                pass
        return ""

    def whole(self) -> MessageWire | None:
        """The answer as it would have come without streaming; None if its end has not come."""
        if not self._ended:
            return None
        self._message["content"] = [self._blocks[index].whole() for index in sorted(self._blocks)]
        return self._message

    def _feed_message(self, event: EventWire) -> None:
        """The counts of tokens are running totals, and those that are left out have not changed."""
        self._message["stop_reason"] = event.get("delta", {}).get("stop_reason")
        counted = {name: count for name, count in event.get("usage", {}).items() if count is not None}
        self._message["usage"] = {**self._message.get("usage", {}), **counted}  # pyright: ignore[reportGeneralTypeIssues] - the fields of a `UsageWire`, less those that are None


class _Block:
    """A content block whose long fields are still coming."""

    def __init__(self, start: Block) -> None:
        self._start = start
        self._pieces: dict[str, list[str]] = {}
        self._input: list[str] = []
        self._citations: list[object] = []

    @property
    def text(self) -> str:
        return self._start["text"] if self._start.get("type") == "text" else ""

    def feed(self, delta: Mapping[str, object]) -> str:
        kind = cast("str", delta["type"])
        if kind == "input_json_delta":
            self._input.append(cast("str", delta["partial_json"]))
        elif kind == "citations_delta":
            self._citations.append(delta["citation"])
        elif (field := _TEXT_DELTAS.get(kind)) is not None:
            piece = cast("str", delta[field])
            self._pieces.setdefault(field, []).append(piece)
            return piece if field == "text" else ""
        return ""

    def whole(self) -> Block:
        block = dict(self._start)
        for field, pieces in self._pieces.items():
            block[field] = block.get(field, "") + "".join(pieces)
        if arguments := "".join(self._input):
            block["input"] = _parsed(arguments)
        if self._citations:
            block["citations"] = [*(block.get("citations") or ()), *self._citations]
        return block


def _parsed(arguments: str) -> object:
    """Arguments as an object; as text where the limit of tokens cut them off."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments
