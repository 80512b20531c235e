"""Tool calls: between their JSON at the vendors and `FunctionCall`, and put together from the pieces of a stream."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from operator import attrgetter
from typing import cast
from uuid import uuid4

from pydantic import with_config
from pydantic_core import from_json
from typing_extensions import TypedDict

from symposia.core import FunctionCall
from symposia.core.json_values import encodable
from symposia.ext.models._answers import OPEN
from symposia.ext.models._wire_format import JsonObject

# Ids -----------------------------------------------------------------------------------------------------------------


def new_call_id() -> str:
    """An id for a tool call that came without one: its result is found by it."""
    return f"call_{uuid4().hex}"


def allowed_call_id(given: str, allowed: re.Pattern[str]) -> str:
    """An id as a vendor takes it: that of another vendor's call may be longer, or have other characters.

    Args:
        given: The id.
        allowed: What the whole id has to match.
    """
    if allowed.fullmatch(given):
        return given
    return f"call_{sha256(given.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


# Arguments -----------------------------------------------------------------------------------------------------------


def read_call(identity: str, name: str | None, arguments: str | Mapping[str, object]) -> FunctionCall:
    """A tool call, with its arguments as the text that all clients give.

    Raises:
        ValueError: It has no name.
    """
    if not name:
        raise ValueError("a tool call has no name")
    return FunctionCall(id=identity, name=name, arguments=arguments_text(arguments))


def arguments_text(arguments: str | Mapping[str, object]) -> str:
    """The arguments of a call as text."""
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def arguments_object(text: str) -> dict[str, object]:
    """The arguments of a call as an object, for APIs that take nothing else; other text is put into one."""
    parsed: object = text
    with suppress(ValueError):  # cut off, or no JSON
        parsed = from_json(encodable(text) or "{}", allow_inf_nan=False)
    return cast("dict[str, object]", parsed) if isinstance(parsed, dict) else {"arguments": parsed}


def parse_arguments(text: str) -> dict[str, object] | str:
    """The arguments of a streamed call; as text where they are no object: cut off, or nested deeper than parsers go.

    They come as pieces of JSON text, and are parsed once, when all have come: a parser of partial JSON would be needed
    for more, and no caller reads arguments before they are whole.
    """
    try:
        parsed: object = from_json(text, allow_inf_nan=False)
    except ValueError:
        return text
    return cast("dict[str, object]", parsed) if isinstance(parsed, dict) else text


# Chat Completions ----------------------------------------------------------------------------------------------------


@with_config(OPEN)
class FunctionWire(TypedDict, total=False):
    name: str | None
    arguments: str | None


@with_config(OPEN)
class ToolCallWire(TypedDict, total=False):
    """A tool call of Chat Completions, or a piece of one."""

    index: int | None
    id: str | None
    function: FunctionWire | None


def write_call(identity: str, name: str, arguments: str) -> JsonObject:
    """A tool call of an earlier answer."""
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


def read_calls(calls: Iterable[ToolCallWire]) -> list[FunctionCall]:
    """The tool calls of an answer.

    Raises:
        ValueError: One has no name.
    """
    return [_function_call(call) for call in calls]


def read_named_calls(calls: Iterable[ToolCallWire]) -> list[FunctionCall]:
    """The tool calls of an answer that broke off, of which the last may not have its name yet."""
    return [_function_call(call) for call in calls if (call.get("function") or FunctionWire()).get("name")]


def _function_call(call: ToolCallWire) -> FunctionCall:
    function = call.get("function") or FunctionWire()
    return read_call(call.get("id") or "", function.get("name"), function.get("arguments") or "")


def with_ids(calls: Iterable[ToolCallWire], new_id: Callable[[], str] = new_call_id) -> list[ToolCallWire]:
    """The calls with an id each, by which their results are matched: some servers leave ids empty."""
    return [call if call.get("id") else {**call, "id": new_id()} for call in calls]


class ToolCallAssembly:
    """Several calls, whose pieces may come interleaved.

    A piece belongs to the latest call of its index. The id alone is not enough: OpenAI sends it with the first piece
    only. The index alone is not either: some vendors number all calls 0, with ids of their own or with names alone, and
    their arguments would run together. So a new id, or another name, under a known index begins another call, and an id
    that came before goes on with its call. Calls are given in the order of their indices, and those of one index in the
    order in which they came.
    """

    def __init__(self) -> None:
        self._calls: list[_ToolCall] = []
        self._latest: dict[int, _ToolCall] = {}

    def feed(self, piece: ToolCallWire) -> None:
        """Take the next piece."""
        index = piece.get("index") or 0
        call = self._latest.get(index)
        if call is None or call.is_other_than(piece):
            known = (one for one in self._calls if one.index == index and one.is_known_by(piece.get("id")))
            call = next(known, None)
            if call is None:
                call = _ToolCall(index)
                self._calls.append(call)
            self._latest[index] = call
        call.feed(piece)

    def whole(self) -> list[ToolCallWire]:
        """The calls, as far as they have come."""
        return [call.whole() for call in sorted(self._calls, key=attrgetter("index"))]


class _ToolCall:
    def __init__(self, index: int) -> None:
        self.index = index
        self._fields = ToolCallWire()
        self._name: str | None = None
        self._arguments: list[str] = []

    def is_other_than(self, piece: ToolCallWire) -> bool:
        """Whether a piece belongs to another call: some vendors number all calls 0."""
        if identity := piece.get("id"):
            return identity != self._fields.get("id")
        name = (piece.get("function") or FunctionWire()).get("name")
        return bool(name and self._name and name != self._name)

    def is_known_by(self, identity: str | None) -> bool:
        return bool(identity) and self._fields.get("id") == identity

    def feed(self, piece: ToolCallWire) -> None:
        function = piece.get("function") or FunctionWire()
        self._name = self._name or function.get("name")
        self._arguments.append(function.get("arguments") or "")
        given = {name: value for name, value in piece.items() if value and name != "function"}
        self._fields.update(cast("ToolCallWire", given))

    def whole(self) -> ToolCallWire:
        return {**self._fields, "function": {"name": self._name, "arguments": "".join(self._arguments)}}
