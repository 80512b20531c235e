"""Streamed answers of ConverseStream: the events, and the answer that they are put together to."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final, Required

from pydantic import with_config
from typing_extensions import TypedDict

from symposia.core.exceptions import PartialAnswer
from symposia.core.models import RequestUsage
from symposia.ext.models._answers import OPEN, json_parser, partial_answer
from symposia.ext.models._reported_errors import ReportedError, raise_reported
from symposia.ext.models._tool_calls import parse_arguments
from symposia.ext.models._wire_format import JsonObject
from symposia.ext.models.bedrock._answer import (
    ANSWER_TOOL,
    AnswerWire,
    Block,
    ReasoningWire,
    UsageWire,
    join_text,
    join_thinking,
    read_tool_uses,
    read_usage,
)

EVENTS: Final = frozenset({
    "messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata",
})  # fmt: skip
"""The kinds of events that are read."""


@with_config(OPEN)
class ToolUseStart(TypedDict, total=False):
    toolUseId: Required[str]
    name: Required[str]


@with_config(OPEN)
class BlockStart(TypedDict, total=False):
    toolUse: ToolUseStart


@with_config(OPEN)
class StartWire(TypedDict):
    """The start of a block. Texts and reasoning begin without one, by their first delta."""

    contentBlockIndex: int
    start: BlockStart


@with_config(OPEN)
class ToolUseDelta(TypedDict):
    input: str


@with_config(OPEN)
class ReasoningDelta(TypedDict, total=False):
    text: str
    signature: str
    redactedContent: str


@with_config(OPEN)
class BlockDelta(TypedDict, total=False):
    """The addition to a block: the field that is set says to which part of it."""

    text: str
    toolUse: ToolUseDelta
    reasoningContent: ReasoningDelta


@with_config(OPEN)
class DeltaWire(TypedDict):
    contentBlockIndex: int
    delta: BlockDelta


@with_config(OPEN)
class StopWire(TypedDict):
    stopReason: str


@with_config(OPEN)
class MetadataWire(TypedDict, total=False):
    usage: UsageWire | None


@with_config(OPEN)
class EventWire(TypedDict, total=False):
    """One event: its kind, with what it holds."""

    messageStart: JsonObject
    contentBlockStart: StartWire
    contentBlockDelta: DeltaWire
    contentBlockStop: JsonObject
    messageStop: StopWire
    metadata: MetadataWire


_event: Final = json_parser(EventWire)


def read_event(kind: str, payload: bytes) -> bytes | None:
    """The event of a frame: its payload under the name of its kind. None for a kind that is not known."""
    return b'{"%b":%b}' % (kind.encode(), payload) if kind in EVENTS else None


class AnswerAssembly:
    """A streamed answer that is being put together; see `StreamAssembly`.

    ``messageStop`` is the vendor's end marker. The counts of tokens come after it, in ``metadata``, which ends the
    reading.
    """

    def __init__(self) -> None:
        self.complete = False
        self._blocks: dict[int, _Block] = {}
        self._stop_reason: str | None = None
        self._usage = UsageWire()

    def feed(self, event: bytes) -> str:
        """Take the next event, and return the text that it adds to the answer.

        Raises:
            ValueError: It is not an event, or it reports an error.
        """
        one = _event(event)
        if not one.keys() & EVENTS:  # all fields are optional, so that an error fits as well
            raise_reported(event)
            raise ReportedError(event.decode(errors="replace"))
        if (added := one.get("contentBlockDelta")) is not None:
            return self._block(added["contentBlockIndex"]).feed(added["delta"])
        if (begun := one.get("contentBlockStart")) is not None:
            self._start(begun)
        if (stop := one.get("messageStop")) is not None:
            self._stop_reason = stop["stopReason"]
        if (metadata := one.get("metadata")) is not None:
            self._usage = metadata.get("usage") or UsageWire()
            self.complete = self._stop_reason is not None
        return ""

    def whole(self) -> AnswerWire:
        """The answer as it would have come without streaming.

        Raises:
            ValueError: Its end has not come.
        """
        if self._stop_reason is None:
            raise ValueError("no messageStop came")
        return {
            "output": {"message": {"content": self._content()}},
            "stopReason": self._stop_reason,
            "usage": self._usage,
        }

    @property
    def usage(self) -> RequestUsage:
        """See `StreamAssembly.usage`."""
        return read_usage(self._usage)

    def partial(self) -> PartialAnswer:
        """See `StreamAssembly.partial`."""
        blocks = self._content()
        calls = read_tool_uses([block for block in blocks if block.get("toolUse", {}).get("name") != ""])
        return partial_answer(join_text(blocks), join_thinking(blocks), calls, self.usage)

    def _content(self) -> list[Block]:
        return [self._blocks[index].whole() for index in sorted(self._blocks)]

    def _start(self, begun: StartWire) -> None:
        index = begun["contentBlockIndex"]
        if index in self._blocks:
            raise ValueError(f"the stream starts block {index} twice")
        self._blocks[index] = _Block(begun["start"])

    def _block(self, index: int) -> _Block:
        return self._blocks.setdefault(index, _Block({}))


class _Block:
    """A block whose content is still coming."""

    def __init__(self, start: BlockStart) -> None:
        self._start = start
        self._texts: list[str] = []
        self._input: list[str] = []
        self._reasoning: list[ReasoningDelta] = []

    def feed(self, delta: BlockDelta) -> str:
        """Take an addition, and return the text that it adds to the answer."""
        if (reasoning := delta.get("reasoningContent")) is not None:
            self._check(self._reasoning)
            self._reasoning.append(reasoning)
            return ""
        if (use := delta.get("toolUse")) is not None:
            if "toolUse" not in self._start:
                raise ValueError("the stream has arguments of a tool call that has not started")
            self._input.append(use["input"])
            return use["input"] if self._start["toolUse"]["name"] == ANSWER_TOOL else ""
        if (text := delta.get("text")) is not None:
            self._check(self._texts)
            self._texts.append(text)
            return text
        return ""  # a citation, or of another kind that is not known

    def _check(self, pieces: Sequence[object]) -> None:
        """Check that an addition is of the kind of those before it.

        Raises:
            ValueError: It is not.
        """
        if not pieces and (self._texts or self._reasoning or self._start):
            raise ValueError("the stream has additions of several kinds to one block")

    def whole(self) -> Block:
        if (use := self._start.get("toolUse")) is not None:
            return {"toolUse": {**use, "input": parse_arguments("".join(self._input) or "{}")}}
        if self._reasoning:
            return {"reasoningContent": self._whole_reasoning()}
        return {"text": "".join(self._texts)}

    def _whole_reasoning(self) -> ReasoningWire:
        if redacted := [piece["redactedContent"] for piece in self._reasoning if "redactedContent" in piece]:
            return {"redactedContent": _join_base64(redacted)}
        text = "".join(piece.get("text", "") for piece in self._reasoning)
        signature = "".join(piece.get("signature", "") for piece in self._reasoning)
        return {"reasoningText": {"text": text, "signature": signature} if signature else {"text": text}}


def _join_base64(pieces: Sequence[str]) -> str:
    """One text in Base64 of several, each of which may end with padding."""
    if len(pieces) == 1:
        return pieces[0]
    return b64encode(b"".join(b64decode(piece, validate=True) for piece in pieces)).decode()
