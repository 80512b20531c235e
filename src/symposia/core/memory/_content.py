"""What memories hold and find."""

from __future__ import annotations

from enum import Enum
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, field_serializer

from symposia.core._image import Image

ContentType: TypeAlias = str | bytes | dict[str, Any] | Image


class MemoryMimeType(Enum):
    """The common kinds of content; any other media type is written as a string."""

    TEXT = "text/plain"
    JSON = "application/json"
    MARKDOWN = "text/markdown"
    IMAGE = "image/*"
    BINARY = "application/octet-stream"


class MemoryContent(BaseModel, defer_build=True):
    """One thing to remember.

    Attributes:
        content: The thing itself. Bytes become base64 in JSON.
        mime_type: What kind of thing it is.
        metadata: Any facts about the content.
    """

    content: ContentType
    mime_type: MemoryMimeType | str
    metadata: dict[str, Any] | None = None

    model_config = ConfigDict(ser_json_bytes="base64")

    @field_serializer("mime_type")
    def serialize_mime_type(self, mime_type: MemoryMimeType | str) -> str:
        """The media type as text."""
        return mime_type.value if isinstance(mime_type, MemoryMimeType) else mime_type


class MemoryQueryResult(BaseModel, defer_build=True):
    """What a memory found, in its order."""

    results: list[MemoryContent]


class UpdateContextResult(BaseModel, defer_build=True):
    """What a memory put into a model context."""

    memories: MemoryQueryResult
