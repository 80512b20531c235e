"""The contract of memories, and their contents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, JsonValue, field_serializer

from symposia.core._cancellation_token import CancellationToken
from symposia.core._component import ComponentBase
from symposia.core._image import Image
from symposia.core.effects import class_identity
from symposia.core.model_context import ChatCompletionContext

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


class Memory(ComponentBase, ABC):
    """A store of contents, of which those that fit the conversation are added to the model context."""

    component_type = "memory"

    def effect_identity(self) -> dict[str, JsonValue]:
        """What decides the memory's results, as JSON without secrets: its class, and its name if it has one."""
        name: object = getattr(self, "name", None)
        return class_identity(self) | ({"name": name} if isinstance(name, str) else {})

    @abstractmethod
    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Add what fits the conversation to its context.

        Returns:
            What was added.
        """

    @abstractmethod
    async def query(
        self, query: str | MemoryContent, cancellation_token: CancellationToken | None = None, **kwargs: Any
    ) -> MemoryQueryResult:
        """Find what fits the query.

        Args:
            query: Text, or a thing like those looked for.
            cancellation_token: Cancelling it ends the search.
            kwargs: What this kind of memory takes besides.
        """

    @abstractmethod
    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Remember one more thing."""

    @abstractmethod
    async def clear(self) -> None:
        """Forget everything."""

    @abstractmethod
    async def close(self) -> None:
        """Give back what the memory holds. Closing twice is harmless."""
