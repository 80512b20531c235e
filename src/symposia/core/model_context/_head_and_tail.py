from __future__ import annotations

from collections.abc import Sequence

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.model_context._context import ChatCompletionContext
from symposia.core.model_context._exchanges import last_exchange, whole
from symposia.core.models import LLMMessage, UserMessage


class HeadAndTailChatCompletionContext(ChatCompletionContext):
    """Shows the oldest and the newest messages, and between them how many were left out.

    A call to a tool and its results stay together: an exchange at an edge is left out, unless it is the newest.

    Args:
        head_size: How many of the oldest messages at most.
        tail_size: How many of the newest messages at most.
        initial_messages: What the conversation begins with.

    Raises:
        InvalidArgumentError: A size is not positive.
    """

    def __init__(self, head_size: int, tail_size: int, initial_messages: Sequence[LLMMessage] | None = None) -> None:
        super().__init__(initial_messages)
        if head_size <= 0:
            raise InvalidArgumentError("head_size must be greater than 0.")
        if tail_size <= 0:
            raise InvalidArgumentError("tail_size must be greater than 0.")
        self._head_size = head_size
        self._tail_size = tail_size

    async def get_messages(self) -> list[LLMMessage]:
        """The oldest messages, a user message that says how many follow unseen, and the newest messages."""
        messages = self._messages
        if len(messages) <= self._head_size + self._tail_size:
            return messages.copy()
        head = whole(messages[: self._head_size], is_end=False)
        tail = whole(messages[-self._tail_size :], is_end=True) or last_exchange(messages)
        skipped = len(messages) - len(head) - len(tail)
        return [*head, UserMessage(content=f"Skipped {skipped} messages.", source="System"), *tail]
