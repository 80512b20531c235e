"""What counts as a token here: a word."""

from __future__ import annotations

from collections.abc import Sequence

from symposia.core import FunctionCall
from symposia.core.models import FunctionExecutionResultMessage, LLMMessage


def count_words(messages: Sequence[LLMMessage]) -> int:
    """The words in messages: of text, of arguments of tool calls and of their results. Images have none."""
    return sum(map(_in_message, messages))


def words_in(content: str | Sequence[object]) -> int:
    """The words in the content of a message or of an answer."""
    if isinstance(content, str):
        return len(content.split())
    return sum(map(_in_part, content))


def _in_message(message: LLMMessage) -> int:
    if isinstance(message, FunctionExecutionResultMessage):
        return sum(words_in(result.content) for result in message.content)
    return words_in(message.content)


def _in_part(part: object) -> int:
    if isinstance(part, FunctionCall):
        return len(part.arguments.split())
    return len(part.split()) if isinstance(part, str) else 0
