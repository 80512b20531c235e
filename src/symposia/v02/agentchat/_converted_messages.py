"""Messages of AutoGen 0.2 as messages of 0.4, and the other way round."""

from __future__ import annotations

from typing import Any, cast

from symposia.agentchat.messages import BaseChatMessage, MultiModalMessage, TextMessage
from symposia.core import Image
from symposia.v02.agentchat._messages import Message, text_of


def to_dict(message: BaseChatMessage) -> Message:
    """A message of 0.4 as one of 0.2: its text, or parts where it has images, and its source as the name."""
    content: Any = message.to_model_text()  # Any: a text or parts
    if isinstance(message, MultiModalMessage):
        content = [_as_part(piece) for piece in message.content]
    return {"content": content, "role": "user", "name": message.source}


def _as_part(piece: str | Image) -> Message:
    if isinstance(piece, str):
        return {"type": "text", "text": piece}
    return {"type": "image_url", "image_url": {"url": piece.data_uri}}


def from_dict(message: Message, source: str) -> BaseChatMessage:
    """A message of 0.2 as one of 0.4.

    Images that are data are kept. Those that are elsewhere become `<image>`, since nothing is fetched here.

    Args:
        message: The message.
        source: Its author, if it has no name.
    """
    author = str(message.get("name") or source)
    content: object = message.get("content")
    if isinstance(content, list):
        pieces = [_as_piece(part) for part in cast("list[Message]", content)]
        if any(isinstance(piece, Image) for piece in pieces):
            return MultiModalMessage(content=pieces, source=author)
    return TextMessage(content=text_of(message), source=author)


def _as_piece(part: Message) -> str | Image:
    if part.get("type") == "text":
        return str(part["text"])
    url = str(part.get("image_url", {}).get("url", ""))
    return Image.from_uri(url) if url.startswith("data:image/") else "<image>"
