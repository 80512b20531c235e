"""Results of earlier chats in the first message of a chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from symposia.v02.agentchat._messages import Message, as_message
from symposia.v02.exception_utils import InvalidCarryOverType


def with_carryover(message: Message | str, carryover: object) -> Message | str:
    """A message with what earlier chats resulted in.

    Args:
        message: A text, or a message whose content is a text or a list of parts.
        carryover: A text, or a list of texts, of messages or of other values. If it is empty, the message is unchanged.

    Raises:
        InvalidCarryOverType: The carryover is neither, or the content has no place for it.
    """
    if not carryover:
        return message
    added = f"\nContext: \n{carryover_text(carryover)}"
    if isinstance(message, str):
        return message + added
    extended = dict(as_message(message))
    content = extended.get("content")
    if isinstance(content, str):
        extended["content"] = content + added
    elif isinstance(content, list):
        extended["content"] = [{"type": "text", "text": added}, *cast("list[object]", content)]
    elif content is not None or "content" not in extended:
        raise InvalidCarryOverType(
            "Carryover should be a string or a list of strings. Not adding carryover to the message."
        )
    return extended


def carryover_text(carryover: object) -> str:
    """A carryover as text, one line or more for each item.

    Raises:
        InvalidCarryOverType: It is neither a text nor a list.
    """
    if isinstance(carryover, str):
        return carryover
    if isinstance(carryover, list):
        return "\n".join(_item_text(item) for item in cast("list[object]", carryover))
    raise InvalidCarryOverType(
        "Carryover should be a string or a list of strings. Not adding carryover to the message."
    )


def _item_text(item: object) -> str:
    if isinstance(item, Mapping) and "content" in item:
        return str(cast("Mapping[str, object]", item)["content"])
    return str(cast("object", item))
