"""What several vendors' requests are given in the same words: the system prompt, and turns that their APIs demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, groupby
from operator import eq, itemgetter
from typing import Final, cast

from symposia.core.models import LLMMessage, SystemMessage
from symposia.ext.models._encoded_json import EncodedObject

START: Final = "Begin."
"""The user's turn before a conversation that begins with the assistant, which APIs refuse."""
CONTINUE: Final = "Continue."
"""The user's turn after a conversation that ends with the assistant, which most models refuse."""
EMPTY: Final = "(empty)"
"""Replaces a blank text, which APIs refuse."""
JSON_INSTRUCTION: Final = "Answer with one JSON object and nothing else: no prose around it and no code fence."


def leading_system_messages(messages: Iterable[LLMMessage]) -> list[SystemMessage]:
    """The system messages that a conversation begins with."""
    leading: list[SystemMessage] = []
    for message in messages:
        if not isinstance(message, SystemMessage):
            break
        leading.append(message)
    return leading


def write_system(messages: Iterable[SystemMessage]) -> str | None:
    """The system prompt, which has a place of its own in a request; None if there is none."""
    return "\n".join(message.content for message in messages if message.content.strip()) or None


def quoted_system(message: SystemMessage) -> str:
    """A system message in the middle of a conversation, such as that of a memory, as text of the user.

    Moved into the system prompt it would change the beginning of every later request, and no part of them would come
    from the vendor's cache.
    """
    return f"<system>\n{message.content}\n</system>"


def write_turn(role: str, name: str, parts: Iterable[Mapping[str, object]]) -> EncodedObject:
    """A turn of a conversation, of which each part is encoded once: turns are joined in ever new ways.

    Args:
        role: Who speaks.
        name: The field of the parts.
        parts: Texts, pictures, calls and results.
    """
    encoded = [part if isinstance(part, EncodedObject) else EncodedObject(part) for part in parts]
    return EncodedObject({"role": role, name: encoded})


def join_neighbours(turns: Sequence[EncodedObject], name: str) -> list[EncodedObject]:
    """The turns with neighbours of one role made one, so that all results follow their calls in one turn.

    Args:
        turns: The turns, as `write_turn` makes them.
        name: The field of the parts.
    """
    roles = [turn["role"] for turn in turns]
    if not any(map(eq, roles, roles[1:])):  # mostly, and in a tenth of the time
        return list(turns)
    joined: list[EncodedObject] = []
    for _, group in groupby(turns, key=itemgetter("role")):
        first, *others = group
        if others:
            parts = (cast("list[EncodedObject]", turn[name]) for turn in (first, *others))
            first = EncodedObject({"role": first["role"], name: list(chain.from_iterable(parts))})
        joined.append(first)
    return joined
