from __future__ import annotations

from collections.abc import Sequence

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.model_context._context import ChatCompletionContext
from symposia.core.model_context._exchanges import last_exchange, whole
from symposia.core.models import LLMMessage


class BufferedChatCompletionContext(ChatCompletionContext):
    """Shows the newest messages.

    Args:
        buffer_size: How many messages at most. A call to a tool and its results stay together: the exchange at the edge
            is left out, unless it is the newest, which is shown whole even if it is larger than the buffer.
        initial_messages: What the conversation begins with.

    Raises:
        InvalidArgumentError: `buffer_size` is not positive.
    """

    def __init__(self, buffer_size: int, initial_messages: Sequence[LLMMessage] | None = None) -> None:
        super().__init__(initial_messages)
        if buffer_size <= 0:
            raise InvalidArgumentError("buffer_size must be greater than 0.")
        self._buffer_size = buffer_size

    async def get_messages(self) -> list[LLMMessage]:
        """The newest messages, oldest first."""
        return whole(self._messages[-self._buffer_size :], is_end=True) or last_exchange(self._messages)
