from __future__ import annotations

from symposia.core.model_context._context import ChatCompletionContext
from symposia.core.models import LLMMessage


class UnboundedChatCompletionContext(ChatCompletionContext):
    """Shows the whole conversation."""

    async def get_messages(self) -> list[LLMMessage]:
        """Everything."""
        return self._messages.copy()
