"""The types of a message's content."""

from __future__ import annotations

from typing import Literal, TypeAlias

from typing_extensions import TypedDict

__all__ = ["MessageContentType", "UserMessageImageContentPart", "UserMessageTextContentPart"]

MessageContentType: TypeAlias = str | list[dict[str, object] | str] | None
"""A text, the parts of a text with images, or nothing beside calls of tools."""


class UserMessageTextContentPart(TypedDict):
    """A text among the parts of a message."""

    type: Literal["text"]
    text: str


class UserMessageImageContentPart(TypedDict):
    """An image among the parts of a message: ``{"url": …}``, where the URL may be one of ``data:``."""

    type: Literal["image_url"]
    image_url: dict[Literal["url"], str]
