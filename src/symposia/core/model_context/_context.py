from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from symposia.core._component import ComponentBase
from symposia.core.models import LLMMessage


class ChatCompletionContextState(BaseModel, defer_build=True):
    """Everything that a context holds."""

    messages: list[LLMMessage] = Field(default_factory=list[LLMMessage])


class ChatCompletionContext(ComponentBase, ABC):
    """The conversation as one model sees it: everything is kept, and `get_messages` chooses what the model is shown.

    Args:
        initial_messages: What the conversation begins with.
    """

    component_type = "chat_completion_context"

    def __init__(self, initial_messages: Sequence[LLMMessage] | None = None) -> None:
        self._messages: list[LLMMessage] = list(initial_messages or ())
        self._initial_messages = initial_messages

    async def add_message(self, message: LLMMessage) -> None:
        """Append a message, at a cost that does not grow with the conversation."""
        self._messages.append(message)

    @abstractmethod
    async def get_messages(self) -> list[LLMMessage]:
        """What the model is shown: a list of the caller's own, of messages that are not to be changed.

        It never has a tool result without its call, nor, but at its end, a call without its result, unless the
        conversation itself has.
        """

    async def clear(self) -> None:
        """Forget everything, the initial messages too."""
        self._messages = []

    async def save_state(self) -> Mapping[str, Any]:
        """Everything, as JSON can hold it."""
        return ChatCompletionContextState(messages=self._messages).model_dump()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state` gave, in place of what is here."""
        self._messages = ChatCompletionContextState.model_validate(state).messages
