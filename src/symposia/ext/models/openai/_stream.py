"""Streamed chunks of Chat Completions put together to the answer that they are pieces of. No I/O happens here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, cast

from ._wire import ChoiceWire, CompletionWire, FunctionWire, LogprobWire, MessageWire, ToolCallWire, UsageWire

TextField = Literal["content", "refusal", "reasoning_content"]
_TEXT_FIELDS: Final[tuple[TextField, ...]] = ("content", "refusal", "reasoning_content")


class CompletionAssembly:
    """Takes chunks in the order in which they came."""

    def __init__(self) -> None:
        self._texts: dict[TextField, list[str]] = {field: [] for field in _TEXT_FIELDS}
        self._calls = _ToolCalls()
        self._details: list[dict[str, object]] = []
        self._logprobs: list[LogprobWire] = []
        self._finish_reason: str | None = None
        self._usage: UsageWire | None = None

    def feed(self, event: object) -> str:
        """Take the next chunk, and say which text it adds to the answer."""
        if not isinstance(event, Mapping):
            return ""
        chunk = cast("CompletionWire", event)
        self._usage = chunk.get("usage") or self._usage
        choices = chunk.get("choices")
        return self._feed_choice(choices[0]) if choices else ""

    def whole(self) -> CompletionWire:
        """The answer as it would have come without streaming."""
        message = MessageWire(role="assistant")
        for field, pieces in self._texts.items():
            message[field] = "".join(pieces) or None
        message["tool_calls"] = self._calls.whole()
        message["reasoning_details"] = self._details or None
        choice = ChoiceWire(message=message, finish_reason=self._finish_reason, logprobs={"content": self._logprobs})
        return CompletionWire(choices=[choice], usage=self._usage)

    def _feed_choice(self, choice: ChoiceWire) -> str:
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        self._logprobs.extend((choice.get("logprobs") or {}).get("content") or ())
        delta = choice.get("delta") or MessageWire()
        for field in _TEXT_FIELDS:
            if piece := delta.get(field):
                self._texts[field].append(piece)
        self._details.extend(delta.get("reasoning_details") or ())
        for call in delta.get("tool_calls") or ():
            self._calls.feed(call)
        return delta.get("content") or delta.get("refusal") or ""


class _ToolCalls:
    """Pieces of several calls, which may come interleaved."""

    def __init__(self) -> None:
        self._calls: list[ToolCallWire] = []
        self._arguments: list[list[str]] = []
        self._place: dict[int, int] = {}

    def feed(self, piece: ToolCallWire) -> None:
        place = self._find(piece)
        function = piece.get("function") or FunctionWire()
        call = self._calls[place]
        call.update(
            cast("ToolCallWire", {name: value for name, value in piece.items() if value and name != "function"})
        )
        call["function"] = {"name": (call.get("function") or {}).get("name") or function.get("name")}
        self._arguments[place].append(function.get("arguments") or "")

    def whole(self) -> list[ToolCallWire] | None:
        for call, pieces in zip(self._calls, self._arguments, strict=True):
            call["function"] = {**(call.get("function") or {}), "arguments": "".join(pieces)}
        return self._calls or None

    def _find(self, piece: ToolCallWire) -> int:
        """Where the call is that this is a piece of. Some vendors number all calls 0, each with its own id."""
        index, identity = piece.get("index") or 0, piece.get("id")
        place = self._place.get(index)
        if place is None or (identity and identity != self._calls[place].get("id")):
            place = self._place[index] = len(self._calls)
            self._calls.append({})
            self._arguments.append([])
        return place
