"""Contexts that show a part of the conversation: chosen by the number of messages, or by their tokens.

All keep a call to a tool and its results together, since vendors refuse one without the other (see `_exchanges`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from symposia.core.argument_checks import check_count, check_list, check_model_client
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.model_context._context import ChatCompletionContext, ContextLimits
from symposia.core.model_context._exchanges import Exchange, last_exchange, split, whole
from symposia.core.models import ChatCompletionClient, LLMMessage, UserMessage
from symposia.core.tools import ToolSchema


class BufferedChatCompletionContext(ChatCompletionContext):
    """Shows the newest messages.

    Args:
        buffer_size: How many messages at most. A call to a tool and its results stay together: the exchange at the edge
            is left out, unless it is the newest, which is shown whole even if it is larger than the buffer.
        initial_messages: The first messages of the conversation.

    Raises:
        InvalidArgumentError: `buffer_size` is not a positive whole number.
    """

    def __init__(self, buffer_size: int, initial_messages: Sequence[LLMMessage] | None = None) -> None:
        super().__init__(initial_messages)
        _check_size("buffer_size", self, buffer_size)
        self._buffer_size = buffer_size

    def shown_at_most(self) -> ContextLimits:
        """The size of the buffer."""
        return ContextLimits(messages=self._buffer_size)

    async def get_messages(self) -> list[LLMMessage]:
        """The newest messages, oldest first."""
        return whole(self._messages[-self._buffer_size :], is_end=True) or last_exchange(self._messages)


class HeadAndTailChatCompletionContext(ChatCompletionContext):
    """Shows the oldest and the newest messages, and between them how many were left out.

    A call to a tool and its results stay together: an exchange at an edge is left out, unless it is the newest.

    Args:
        head_size: How many of the oldest messages at most.
        tail_size: How many of the newest messages at most.
        initial_messages: The first messages of the conversation.

    Raises:
        InvalidArgumentError: A size is not a positive whole number.
    """

    def __init__(self, head_size: int, tail_size: int, initial_messages: Sequence[LLMMessage] | None = None) -> None:
        super().__init__(initial_messages)
        _check_size("head_size", self, head_size)
        _check_size("tail_size", self, tail_size)
        self._head_size = head_size
        self._tail_size = tail_size

    def shown_at_most(self) -> ContextLimits:
        """The messages of both ends, and the one between them."""
        return ContextLimits(messages=self._head_size + self._tail_size + 1)

    async def get_messages(self) -> list[LLMMessage]:
        """The oldest messages, a user message that says how many follow unseen, and the newest messages."""
        messages = self._messages
        if len(messages) <= self._head_size + self._tail_size:
            return messages.copy()
        head = whole(messages[: self._head_size], is_end=False)
        tail = whole(messages[-self._tail_size :], is_end=True) or last_exchange(messages)
        skipped = len(messages) - len(head) - len(tail)
        return [*head, UserMessage(content=f"Skipped {skipped} messages.", source="System"), *tail]


class TokenLimitedChatCompletionContext(ChatCompletionContext):
    """Shows as much as the model has room for: messages in the middle are left out first.

    A call to a tool and its results stay together. The newest exchange is always shown, even if it alone is too much.

    Args:
        model_client: Counts the tokens.
        token_limit: How many tokens at most; as many as the model's context holds when None.
        tool_schema: The tools that are sent along, and so take room.
        initial_messages: The first messages of the conversation.

    Raises:
        InvalidArgumentError: `token_limit` is not a positive whole number.
        ArgumentTypeError: `model_client` is something else than a client, such as the limit.
    """

    def __init__(
        self,
        model_client: ChatCompletionClient,
        *,
        token_limit: int | None = None,
        tool_schema: Sequence[ToolSchema] | None = None,
        initial_messages: Sequence[LLMMessage] | None = None,
    ) -> None:
        super().__init__(initial_messages)
        check_model_client(type(self).__name__, model_client, "count_tokens")
        if token_limit is not None:
            _check_size("token_limit", self, token_limit)
        if tool_schema is not None:
            check_list(f"The tool_schema of {type(self).__name__}", tool_schema)
        self._model_client = model_client
        self._token_limit = token_limit
        self._tool_schema = list(tool_schema or ())

    def shown_at_most(self) -> ContextLimits:
        """The limit of tokens: as given, or else what the model's context has room for."""
        if self._token_limit is not None:
            return ContextLimits(tokens=self._token_limit)
        return ContextLimits(tokens=max(0, self._model_client.remaining_tokens((), tools=self._tool_schema)))

    async def get_messages(self) -> list[LLMMessage]:
        """The beginning and the end of the conversation, as much of it as fits."""
        exchanges = split(whole(self._messages, is_end=True))
        # By bisection, since what is left out can only make the rest smaller. To drop one exchange after another counts
        # the tokens of a long conversation as often as it has exchanges; this, about ten times for a thousand.
        fewest, most = 0, max(0, len(exchanges) - 1)  # how many exchanges are left out: never all of them
        while fewest < most:
            middle = (fewest + most) // 2
            if self._fits(_without_middle(exchanges, middle)):
                most = middle
            else:
                fewest = middle + 1
        return _without_middle(exchanges, most)

    def _fits(self, messages: Sequence[LLMMessage]) -> bool:
        if self._token_limit is None:
            return self._model_client.remaining_tokens(messages, tools=self._tool_schema) >= 0
        return self._model_client.count_tokens(messages, tools=self._tool_schema) <= self._token_limit


def _check_size(name: str, context: ChatCompletionContext, given: int) -> None:
    check_count(name, type(context).__name__, given)
    if given <= 0:
        raise InvalidArgumentError(f"{name} must be greater than 0.")


def _without_middle(exchanges: Sequence[Exchange], left_out: int) -> list[LLMMessage]:
    """The messages without `left_out` exchanges of the middle.

    Of those that stay, one half are the oldest and the other half the newest. An odd one is among the oldest, as in
    AutoGen, where each message that is left out is the one at ``len(messages) // 2``. A single one is the newest.
    """
    kept = len(exchanges) - left_out
    head = (kept + 1) // 2 if kept > 1 else 0
    return list(chain.from_iterable((*exchanges[:head], *exchanges[head + left_out :])))
