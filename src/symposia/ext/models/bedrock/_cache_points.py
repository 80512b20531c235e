"""Cache points: where Bedrock may end a prefix of a request that it keeps in its prompt cache.

A point covers everything before it, in the order tools, system prompt, conversation; a request may have four. The
places are those of the cache marks of Anthropic's client, for the same reasons: behind the tools, behind the system
prompt, and behind the last turns of the user, which ended the previous requests. A point that comes before the least
number of tokens of the model is ignored, and costs nothing.
"""

from __future__ import annotations

from typing import Final, cast

from symposia.ext.models._encoded_json import EncodedObject
from symposia.ext.models._wire_format import Body, JsonObject

PARTS: Final = "content"
"""The field of a turn with its blocks."""
POINT: Final = EncodedObject({"cachePoint": {"type": "default"}})
_MOST: Final = 4
_NAME: Final = "cachePoint"


def add_cache_points(body: Body, *, in_tools: bool) -> None:
    """Put cache points behind the tools, the system prompt and the last turns of the user.

    A request that has points of its own, in the tools or the system prompt of its arguments, is left alone.

    Args:
        body: The request.
        in_tools: Whether the model takes one behind the tools.
    """
    config = cast("JsonObject", body.get("toolConfig", {}))
    tools = cast("list[JsonObject]", config.get("tools", []))
    system = cast("list[JsonObject]", body.get("system", []))
    if any(_NAME in part for part in (*tools, *system)):
        return
    turns = cast("list[EncodedObject]", body["messages"])
    places = [place for place in (-1, -3, -5) if -place <= len(turns)]
    if in_tools and tools and len(places) + bool(system) < _MOST:
        body["toolConfig"] = {**config, "tools": [*tools, POINT]}
    if system:
        body["system"] = [*system, POINT]
    # The list of turns is made for each request; the turns in it are shared with later ones, and are not changed.
    for place in places:
        turn = turns[place]
        turns[place] = EncodedObject({**turn, PARTS: [*cast("list[EncodedObject]", turn[PARTS]), POINT]})
