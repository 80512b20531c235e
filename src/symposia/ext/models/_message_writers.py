"""Messages as vendors write them, by the kind of message."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from symposia.core.argument_checks import not_a_message
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
    model_info_advice,
)

W_co = TypeVar("W_co", covariant=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class BaseMessageWriter(ABC, Generic[W_co]):
    """Writes messages in a vendor's format.

    Attributes:
        model: The model.
        vision: Whether it takes images.
    """

    model: str
    vision: bool

    def write(self, message: LLMMessage) -> W_co:
        """One message of the conversation.

        Raises:
            ArgumentTypeError: It is no message.
            InvalidArgumentError: It has an image, and the model takes none.
        """
        match message:
            case UserMessage():
                return self.user(message)
            case AssistantMessage():
                return self.assistant(message)
            case SystemMessage():
                return self.system(message)
            case FunctionExecutionResultMessage():
                return self.results(message.content)
            case _:
                raise not_a_message(message)

    @abstractmethod
    def system(self, message: SystemMessage, /) -> W_co:
        """Instructions, which may stand in the middle of a conversation."""

    @abstractmethod
    def user(self, message: UserMessage, /) -> W_co:
        """A message to the model."""

    @abstractmethod
    def assistant(self, message: AssistantMessage, /) -> W_co:
        """An answer of the model."""

    @abstractmethod
    def results(self, results: Sequence[FunctionExecutionResult], /) -> W_co:
        """The results of tool calls."""

    def check_vision(self) -> None:
        """Check that the model can be sent an image.

        Raises:
            InvalidArgumentError: It takes none.
        """
        if not self.vision:
            raise InvalidArgumentError(
                f"A message has an image, and model {self.model!r} takes none, by its model_info. Take a model that "
                f"does, or leave the image out. {model_info_advice('vision')}"
            )
