"""What several vendors' requests are given in the same words: the system prompt, and turns that their APIs demand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from symposia.core.models import LLMMessage, SystemMessage

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
