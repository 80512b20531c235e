"""Streamed chunks of Chat Completions put together to the answer that they are pieces of. No I/O happens here."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Final, Literal, cast

from symposia.ext.models.openai._wire import (
    ChoiceWire,
    CompletionWire,
    FunctionWire,
    LogprobWire,
    MessageWire,
    ToolCallWire,
    UsageWire,
)

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
