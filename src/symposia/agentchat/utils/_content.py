"""Conversions of message content to text."""

from __future__ import annotations

from collections.abc import Sequence

from symposia.core import FunctionCall, Image
from symposia.core.models import FunctionExecutionResult, LLMMessage, UserMessage


def content_to_str(
    content: str | Sequence[str | Image] | Sequence[FunctionCall] | Sequence[FunctionExecutionResult],
) -> str:
    """The content of a message as text, a line for each piece; ``<image>`` stands for a picture."""
    if isinstance(content, str):
        return content
    return "\n".join("<image>" if isinstance(piece, Image) else str(piece) for piece in content)


def remove_images(messages: Sequence[LLMMessage]) -> list[LLMMessage]:
    """The messages for a model that takes text only: ``<image>`` stands for each picture."""
    return [_without_images(message) for message in messages]


def _without_images(message: LLMMessage) -> LLMMessage:
    if isinstance(message, UserMessage) and not isinstance(message.content, str):
        return message.model_copy(update={"content": content_to_str(message.content)})
    return message
