"""Streamed answers of Chat Completions: the chunks, and the answer that they are put together to."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, cast

from pydantic import with_config
from typing_extensions import TypedDict

from symposia.core.exceptions import PartialAnswer
from symposia.core.models import RequestUsage
from symposia.ext.models._answers import json_parser, partial_answer
from symposia.ext.models._reported_errors import raise_reported
from symposia.ext.models._tool_calls import ToolCallAssembly, read_named_calls
from symposia.ext.models.openai._answer import (
    OPEN,
    ChoiceWire,
    CompletionWire,
    LogprobsWire,
    LogprobWire,
    MessageWire,
    UsageWire,
    read_usage,
)


class DeltaWire(TypedDict, total=False):
    """A choice of a streamed chunk."""

    index: int | None
    delta: MessageWire | None
    message: object
    finish_reason: str | None
    logprobs: LogprobsWire | None


@with_config(OPEN)
class ChunkWire(TypedDict, total=False):
    """A chunk of a streamed answer. The one with the usage has no choices."""

    id: object
    model: object
    choices: list[DeltaWire] | None
    usage: UsageWire | None


_chunk: Final = json_parser(ChunkWire)

TextField: TypeAlias = Literal["content", "refusal", "reasoning_content", "reasoning"]
_TEXT_FIELDS: Final[tuple[TextField, ...]] = ("content", "refusal", "reasoning_content", "reasoning")
_DONE: Final = b"[DONE]"


class CompletionAssembly:
    """A streamed answer that is being put together; see `StreamAssembly`.

    The answer is whole when a ``finish_reason`` came. ``[DONE]`` alone is not enough, since proxies send it after an
    upstream that broke off; and it may be missing, since some servers never send it. Reading goes on after the
    ``finish_reason``, to ``[DONE]`` or the end of the bytes, because the chunk with the usage comes after it.
    """

    def __init__(self) -> None:
        self.complete = False
        self._texts: dict[TextField, list[str]] = {field: [] for field in _TEXT_FIELDS}
        self._calls = ToolCallAssembly()
        self._details: list[dict[str, object]] = []  # a compatible vendor's own
        self._logprobs: list[LogprobWire] = []
        self._finish_reason: str | None = None
        self._usage: UsageWire | None = None
        self._labels: dict[str, object] = {}

    def feed(self, event: bytes) -> str:
        """Take the next chunk, and return the text that it adds to the answer.

        Raises:
            ValueError: It is not a chunk, or it reports an error.
        """
        if event.startswith(_DONE):
            self.complete = True
            return ""
        chunk = _chunk(event)
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
        message["tool_calls"] = self._calls.whole() or None
        message["reasoning_details"] = self._details or None
        choice = ChoiceWire(message=message, finish_reason=self._finish_reason, logprobs={"content": self._logprobs})
        return cast("CompletionWire", {**self._labels, "choices": [choice], "usage": self._usage})

    @property
    def usage(self) -> RequestUsage:
        """See `StreamAssembly.usage`."""
        return read_usage(self._usage)

    def partial(self) -> PartialAnswer:
        """See `StreamAssembly.partial`."""
        return partial_answer(
            "".join(self._texts["content"] or self._texts["refusal"]),
            "".join(self._texts["reasoning_content"] or self._texts["reasoning"]),
            read_named_calls(self._calls.whole()),
            self.usage,
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
        # A list of pieces for each field, joined once at the end: adding to a string costs its length each time.
        for field in _TEXT_FIELDS:
            if (piece := delta.get(field)) and isinstance(piece, str):
                self._texts[field].append(piece)
        if details := delta.get("reasoning_details"):
            self._details.extend(details)
        for call in delta.get("tool_calls") or ():
            self._calls.feed(call)
        return delta.get("content") or delta.get("refusal") or ""
