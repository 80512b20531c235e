"""The contract of memories."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from symposia._lazy import lazy_module
from symposia.core._cancellation_token import CancellationToken
from symposia.core._component import ComponentBase
from symposia.core.effects import class_identity
from symposia.core.model_context import ChatCompletionContext

if TYPE_CHECKING:
    from symposia.core.memory import _content as contents
else:  # the models of contents are not needed to make an agent that may be given a memory
    contents = lazy_module("symposia.core.memory._content")


class Memory(ComponentBase, ABC):
    """A store of contents, of which those that fit the conversation are added to the model context."""

    component_type = "memory"

    def effect_identity(self) -> dict[str, JsonValue]:
        """What decides the memory's results, as JSON without secrets: its class, and its name if it has one."""
        name: object = getattr(self, "name", None)
        return class_identity(self) | ({"name": name} if isinstance(name, str) else {})

    @abstractmethod
    async def update_context(self, model_context: ChatCompletionContext) -> contents.UpdateContextResult:
        """Add what fits the conversation to its context.

        Returns:
            What was added.
        """

    @abstractmethod
    async def query(
        self, query: str | contents.MemoryContent, cancellation_token: CancellationToken | None = None, **kwargs: Any
    ) -> contents.MemoryQueryResult:
        """Find what fits the query.

        Args:
            query: Text, or a thing like those looked for.
            cancellation_token: Cancelling it ends the search.
            kwargs: What this kind of memory takes besides.
        """

    @abstractmethod
    async def add(self, content: contents.MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Remember one more thing."""

    @abstractmethod
    async def clear(self) -> None:
        """Forget everything."""

    @abstractmethod
    async def close(self) -> None:
        """Give back what the memory holds. Closing twice is harmless."""
