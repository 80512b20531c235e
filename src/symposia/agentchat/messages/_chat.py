"""The chat messages of AutoGen."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from symposia.agentchat.messages._base import BaseChatMessage, BaseTextChatMessage
from symposia.core import FunctionCall, Image
from symposia.core.models import FunctionExecutionResult, LLMMessage, UserMessage


class TextMessage(BaseTextChatMessage):
    """Plain text."""

    type: Literal["TextMessage"] = "TextMessage"


class StopMessage(BaseTextChatMessage):
    """A request to end the conversation, which `StopMessageTermination` honours."""

    type: Literal["StopMessage"] = "StopMessage"


class HandoffMessage(BaseTextChatMessage):
    """Text that passes the turn to another agent.

    Attributes:
        target: The name of the agent that takes over.
        context: Messages that are added to the target's model context before the message itself.
    """

    target: str
    context: list[LLMMessage] = Field(default_factory=list[LLMMessage])
    type: Literal["HandoffMessage"] = "HandoffMessage"


class ToolCallSummaryMessage(BaseTextChatMessage):
    """An answer made of tool results, put together without asking the model again.

    Attributes:
        tool_calls: The calls that the model requested.
        results: Their results, in the order of the calls.
    """

    type: Literal["ToolCallSummaryMessage"] = "ToolCallSummaryMessage"
    tool_calls: list[FunctionCall]
    results: list[FunctionExecutionResult]


class MultiModalMessage(BaseChatMessage):
    """Texts and images, in order."""

    content: list[str | Image]
    type: Literal["MultiModalMessage"] = "MultiModalMessage"

    def to_text(self, iterm: bool = False) -> str:
        """The pieces on lines of their own.

        Args:
            iterm: Draw the images with iTerm2's escape sequence; otherwise each is written as ``<image>``.
        """
        return "\n".join(_on_console(piece, iterm=iterm) for piece in self.content)

    def to_model_text(self, image_placeholder: str | None = "[image]") -> str:
        """The pieces as one text.

        Args:
            image_placeholder: The text for an image, after a blank; None for its base64 data.
        """
        return "".join(
            piece if isinstance(piece, str) else f" {image_placeholder or piece.to_base64()}" for piece in self.content
        )

    def to_model_message(self) -> UserMessage:
        """The pieces, as a message from `source`."""
        return UserMessage(content=self.content, source=self.source)


def _on_console(piece: str | Image, *, iterm: bool) -> str:
    if isinstance(piece, str):
        return piece
    return f"\033]1337;File=inline=1:{piece.to_base64()}\a\n" if iterm else "<image>"


ChatMessage = Annotated[
    TextMessage | MultiModalMessage | StopMessage | ToolCallSummaryMessage | HandoffMessage,
    Field(discriminator="type"),
]
"""Any of the chat messages that come with the library, for fields of pydantic models."""
