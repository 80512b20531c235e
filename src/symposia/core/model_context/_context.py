"""The contract of model contexts, and the context without bounds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, Field

from symposia.core._component import ComponentBase
from symposia.core.argument_checks import check_list
from symposia.core.changes import Change, diff, extension, members
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.models import LLMMessage


class ChatCompletionContextState(BaseModel, defer_build=True):
    """Everything that a context holds."""

    messages: list[LLMMessage] = Field(default_factory=list[LLMMessage])


class _Mark(NamedTuple):
    """A state that was saved.

    Attributes:
        messages: The list of the messages, which is another one after `clear` and `load_state`.
        ends: The first and the last message, which tell whether messages were taken out of the list since.
        length: The number of messages.
        rest: The state without them.
    """

    messages: list[LLMMessage]
    ends: tuple[LLMMessage, ...]
    length: int
    rest: Mapping[str, object]


class ContextLimits(NamedTuple):
    """The most that a context shows to a model.

    Attributes:
        messages: The number of messages; None for no limit.
        tokens: The number of tokens; None for no limit.
    """

    messages: int | None = None
    tokens: int | None = None


class ChatCompletionContext(ComponentBase, ABC):
    """A conversation: everything is kept, and `get_messages` selects the messages for a model.

    Args:
        initial_messages: The first messages of the conversation.

    Raises:
        ArgumentTypeError: `initial_messages` is something else than a list of messages.
    """

    component_type = "chat_completion_context"

    def __init__(self, initial_messages: Sequence[LLMMessage] | None = None) -> None:
        if initial_messages is not None:
            self._check_messages(initial_messages)
        self._messages: list[LLMMessage] = list(initial_messages or ())
        self._initial_messages = initial_messages

    def _check_messages(self, given: Sequence[object]) -> None:
        what = f"The initial_messages of {type(self).__name__}"
        check_list(what, given)
        for each in given:
            if not hasattr(each, "content"):
                raise ArgumentTypeError(
                    f"{what} have to be messages, such as UserMessage(content='…', source='user'), not {each!r}"
                )

    async def add_message(self, message: LLMMessage) -> None:
        """Append a message, at a cost that does not grow with the conversation."""
        self._messages.append(message)

    @abstractmethod
    async def get_messages(self) -> list[LLMMessage]:
        """The messages for the model: a list of the caller's own, of messages that must not be changed.

        It never has a tool result without its call, nor, but at its end, a call without its result, unless the
        conversation itself has.
        """

    def shown_at_most(self) -> ContextLimits:
        """The limits of what is shown, for the forecast of a team: none, by default."""
        return ContextLimits()

    async def clear(self) -> None:
        """Forget everything, the initial messages too."""
        self._messages = []

    async def save_state(self) -> Mapping[str, Any]:
        """Everything, as JSON can hold it."""
        return {**_dumped(self._messages), **self._rest_of_state()}

    async def save_changes(self, since: object | None) -> tuple[Change | None, object]:
        """The changes since a mark: see `symposia.core.changes.IncrementalState`.

        Appended messages cost what they are.
        """
        mark = _Mark(
            self._messages,
            (*self._messages[:1], *self._messages[-1:]),
            len(self._messages),
            self._rest_of_state(),
        )
        if not isinstance(since, _Mark) or not self._only_grew(since):
            return {"set": {**_dumped(self._messages), **mark.rest}}, mark
        grown = _dumped(self._messages[since.length :])["messages"]
        rest = diff(since.rest, mark.rest) or {}
        return members({"messages": extension(grown), **rest.get("update", {})}), mark

    def _only_grew(self, since: _Mark) -> bool:
        """Whether messages were only added since; messages are values, which are never changed in place."""
        ends = (*self._messages[:1], *self._messages[since.length - 1 : since.length]) if since.length else ()
        return (
            self._messages is since.messages
            and len(self._messages) >= since.length
            and all(one is other for one, other in zip(ends, since.ends, strict=True))
        )

    def _rest_of_state(self) -> Mapping[str, object]:
        """The state besides the messages, in JSON values: empty, unless overridden."""
        return {}

    async def load_state(self, state: Mapping[str, object]) -> None:
        """Replace the present state by one of `save_state`."""
        self._messages = ChatCompletionContextState.model_validate(state).messages


class UnboundedChatCompletionContext(ChatCompletionContext):
    """Shows the whole conversation."""

    async def get_messages(self) -> list[LLMMessage]:
        """Everything."""
        return self._messages.copy()


def _dumped(messages: list[LLMMessage]) -> dict[str, Any]:
    return ChatCompletionContextState(messages=messages).model_dump()
