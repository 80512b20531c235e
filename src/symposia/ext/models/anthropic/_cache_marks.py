"""Cache marks: where the vendor may end a prefix of a request that it keeps in its prompt cache.

A mark covers everything before it, in the order tools, system prompt, conversation; the vendor takes four marks at
most. A request has one behind each of the parts, so that agents with the same tools, or the same instructions, share
them. The last turns of the user are marked because they ended the previous requests: the vendor looks for an earlier
mark in the last 20 blocks only, which a round of parallel calls can exceed.

Three turns are marked as soon as there are three, since a conversation is cached for one ``tool_choice``. An assistant
that calls tools and then puts the results into words asks by turns with ``auto`` and with ``none``: the last request of
the same choice is the one before the previous. With four marks in all, the third turn takes the mark behind the tools,
which the one behind the system prompt covers too.

The rules are those of Anthropic's documentation of prompt caching (2026). Its automatic caching, a ``cache_control``
for the whole request, was rejected: it marks the last block alone, so nothing is shared between two conversations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from symposia.ext.models._encoded_json import EncodedObject
from symposia.ext.models._wire_format import Body, JsonObject
from symposia.ext.models.anthropic._request import PARTS

_MARK: Final = "cache_control"
_MOST_MARKS: Final = 4
_UNMARKABLE: Final = frozenset({"thinking", "redacted_thinking"})


def add_cache_marks(body: Body) -> None:
    """Mark the tools, the system prompt and the last turns of the user in a request.

    A request that has marks of its own, of the client's arguments or of the call, is left alone.
    """
    if (
        _MARK in body
        or any(map(_is_marked, _blocks(body.get("tools"))))
        or any(map(_is_marked, _blocks(body.get("system"))))
    ):
        return
    # A new list of turns for each request; the turns in it are shared with later ones, and are not changed.
    turns = cast("list[EncodedObject]", body["messages"])
    places = [place for place in (-1, -3, -5) if -place <= len(turns)]
    system = body.get("system")
    tools = _blocks(body.get("tools"))
    if tools and len(places) + bool(system) < _MOST_MARKS:
        body["tools"] = [*tools[:-1], _marked(tools[-1])]
    if isinstance(system, str):
        body["system"] = [_marked({"type": "text", "text": system})]
    for place in places:
        turns[place] = _with_mark(turns[place])


def _blocks(value: object) -> Sequence[JsonObject]:
    return cast("Sequence[JsonObject]", value) if isinstance(value, list) else ()


def _is_marked(block: Mapping[str, object]) -> bool:
    return _MARK in block


def _marked(block: JsonObject) -> EncodedObject:
    return EncodedObject({**block, _MARK: {"type": "ephemeral"}})


def _with_mark(turn: EncodedObject) -> EncodedObject:
    """The turn with a mark on its last block that takes one: thinking does not."""
    blocks = list(cast("list[JsonObject]", turn[PARTS]))
    place = next((i for i in reversed(range(len(blocks))) if blocks[i]["type"] not in _UNMARKABLE), None)
    if place is None:
        return turn
    blocks[place] = _marked(blocks[place])
    return EncodedObject({**turn, PARTS: blocks})
