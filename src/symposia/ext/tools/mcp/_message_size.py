"""A limit of the items of a server's message, before the SDK checks each of them.

For an item of a wrong kind the SDK keeps an error for each form that it might have had. A message of 200 KB with
100,000 such items took 11 seconds of the event loop and half a gigabyte, and one of the longest would take all memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Self

from pydantic import JsonValue

_MOST_ITEMS: Final = 10_000
"""Items of all lists in a message. A page of a list may have some thousand tools."""
_FREE: Final = frozenset({"_meta", "arguments", "inputSchema", "outputSchema", "requestedSchema", "structuredContent"})
"""Fields that hold any JSON, which the SDK does not look at."""


class SmallMessages:
    """The messages of a stream of the SDK, with errors in place of answers that have too many items.

    Other messages that have too many are left out.

    Args:
        stream: The stream.
        body: The fields of a message.
        failed_answer: Makes an error of the id of a request and a text.
    """

    def __init__(
        self, stream: Any, body: Callable[[Any], Mapping[str, Any]], failed_answer: Callable[[object, str], object]
    ) -> None:
        self._stream = stream
        self._body = body
        self._failed_answer = failed_answer

    @property
    def last_context(self) -> Any:
        """The context in which the last message was sent, which version 2 of the SDK asks for."""
        return getattr(self._stream, "last_context", None)

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *raised: object) -> bool | None:
        return await self._stream.__aexit__(*raised)

    def __aiter__(self) -> SmallMessages:
        return self

    async def __anext__(self) -> Any:
        while True:
            message: Any = await self._stream.__anext__()
            body = self._body(message)
            if not has_many_items(body.get("result")) and not has_many_items(body.get("params")):
                return message
            if "result" in body:
                return self._failed_answer(body["id"], f"the answer has more than {_MOST_ITEMS:,} items")


def has_many_items(value: JsonValue) -> bool:
    """Whether the lists of a message have more items than the SDK should check."""
    left, waiting = _MOST_ITEMS, [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            left -= len(part)
            if left < 0:
                return True
            waiting.extend(part)
        elif isinstance(part, dict):
            waiting.extend(each for name, each in part.items() if name not in _FREE)
    return False
