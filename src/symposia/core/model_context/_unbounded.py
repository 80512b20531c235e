from __future__ import annotations

from symposia.core.models import LLMMessage

from ._context import ChatCompletionContext


class UnboundedChatCompletionContext(ChatCompletionContext):
    """Shows the whole conversation."""

    async def get_messages(self) -> list[LLMMessage]:
        """Everything."""
        return self._messages.copy()
