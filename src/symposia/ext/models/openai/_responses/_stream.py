"""Streamed answers of the Responses API: the events, and the answer that they are put together to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Required, cast

from pydantic import with_config
from typing_extensions import TypedDict

from symposia.core import FunctionCall
from symposia.core.exceptions import PartialAnswer
from symposia.core.models import RequestUsage
from symposia.ext.models._answers import OPEN, json_parser, partial_answer
from symposia.ext.models._reported_errors import ReportedError, reported_codes, reported_words
from symposia.ext.models.openai._responses._answer import (
    Item,
    ResponseWire,
    check_succeeded,
    is_commentary,
    read_usage,
)


@with_config(OPEN)
class EventWire(TypedDict, total=False):
    """An event. Which other fields it has depends on its type."""

    type: Required[str]
    output_index: int | None
    delta: object


class ItemEventWire(TypedDict, total=False):
    output_index: int | None
    item: Required[Item]


class EndEventWire(TypedDict):
    response: ResponseWire


_event: Final = json_parser(EventWire)
_item_event: Final = json_parser(ItemEventWire)
_end_event: Final = json_parser(EndEventWire)

TEXTS: Final = frozenset({"response.output_text.delta", "response.refusal.delta"})
THOUGHTS: Final = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})
ENDS: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})


class ResponseAssembly:
    """A streamed answer that is being put together; see `StreamAssembly`.

    The last event holds the whole answer, and is the end marker. The items before it are kept as well: they are what
    arrived, if the stream breaks off, and some servers leave them out of the last event.
    """

    def __init__(self) -> None:
        self.complete = False
        self._end: ResponseWire | None = None
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._calls: dict[int, tuple[Mapping[str, object], list[str]]] = {}
        self._commentary: set[int] = set()
        self._items: dict[int, Item] = {}

    def feed(self, event: bytes) -> str:
        """Take the next event, and return the text that it adds to the answer.

        Raises:
            ValueError: It is not an event, or it reports an error.
        """
        if event.startswith(b"[DONE]"):  # the habit of servers that also offer Chat Completions; no end marker here
            self.complete = True
            return ""
        read = _event(event)
        kind, index = read["type"], read.get("output_index") or 0
        if kind in TEXTS:
            return self._add_text(index, _piece(read))
        if kind in THOUGHTS:
            self._thoughts.append(_piece(read))
        elif kind == "response.function_call_arguments.delta":
            self._calls.setdefault(index, ({}, []))[1].append(_piece(read))
        elif kind == "response.reasoning_summary_part.added" and self._thoughts:
            self._thoughts.append("\n\n")
        elif kind == "response.output_item.added":
            self._begin_item(_item_event(event))
        elif kind == "response.output_item.done":
            self._items[index] = _item_event(event)["item"]
        elif kind in ENDS:
            self._finish(_end_event(event)["response"])
        elif kind == "error":
            raise ReportedError(reported_words(read) or "an error without words", reported_codes(read))
        return ""

    def whole(self) -> ResponseWire:
        """The answer as it would have come without streaming.

        Raises:
            ValueError: Its end has not come.
        """
        if self._end is None:
            raise ValueError("no response.completed came")
        if self._end["output"]:
            return self._end
        return {**self._end, "output": [item for _, item in sorted(self._items.items())]}

    @property
    def usage(self) -> RequestUsage:
        """See `StreamAssembly.usage`."""
        return read_usage(self._end.get("usage") if self._end else None)

    def partial(self) -> PartialAnswer:
        """See `StreamAssembly.partial`."""
        calls = (
            FunctionCall(str(item.get("call_id") or ""), "".join(pieces), str(item.get("name") or ""))
            for _, (item, pieces) in sorted(self._calls.items())
        )
        return partial_answer("".join(self._texts), "".join(self._thoughts), calls, self.usage)

    def _add_text(self, index: int, piece: str) -> str:
        if index in self._commentary:
            self._thoughts.append(piece)
            return ""
        self._texts.append(piece)
        return piece

    def _begin_item(self, event: ItemEventWire) -> None:
        index, item = event.get("output_index") or 0, cast("Mapping[str, object]", event["item"])
        if item["type"] == "function_call":
            self._calls[index] = (item, [])
        elif item["type"] == "message" and is_commentary(item):
            self._commentary.add(index)

    def _finish(self, response: ResponseWire) -> None:
        check_succeeded(response)
        self._end = response
        self.complete = True


def _piece(event: EventWire) -> str:
    piece = event.get("delta")
    if not isinstance(piece, str):
        raise ValueError(f"{event['type']}: its delta is no text")  # noqa: TRY004 - a fault of the server's JSON
    return piece
