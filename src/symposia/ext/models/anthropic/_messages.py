"""Messages as Anthropic's Messages API wants them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypedDict, cast

from symposia.core import FunctionCall, Image
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    SystemMessage,
    UserMessage,
)
from symposia.ext.models.anthropic._wire import Block

VENDOR: Final = "anthropic"
EMPTY: Final = "(empty)"
"""Stands for a text without a letter in it, which the API refuses."""


class Turn(TypedDict):
    """A message on the wire."""

    role: Literal["user", "assistant"]
    content: list[Block]


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageWriter:
    """Writes messages in Anthropic's format.

    Attributes:
        model: Whom they are for.
        vision: Whether it takes images.
    """

    model: str
    vision: bool

    def write(self, message: UserMessage | AssistantMessage | FunctionExecutionResultMessage) -> Turn:
        """One message.

        Raises:
            InvalidArgumentError: It has an image, and the model takes none.
        """
        match message:
            case UserMessage():
                return {"role": "user", "content": self._user_blocks(message.content)}
            case AssistantMessage():
                return {"role": "assistant", "content": _assistant_blocks(message)}
            case FunctionExecutionResultMessage():
                return {"role": "user", "content": [_result_block(result) for result in message.content]}

    def _user_blocks(self, content: str | list[str | Image]) -> list[Block]:
        parts = [content] if isinstance(content, str) else content
        return [_text_block(part) if isinstance(part, str) else self._image_block(part) for part in parts]

    def _image_block(self, image: Image) -> Block:
        if not self.vision:
            raise InvalidArgumentError(
                f"A message has an image, and model {self.model!r} takes none, by its model_info."
            )
        source = {"type": "base64", "media_type": image.media_type, "data": image.to_base64()}
        return {"type": "image", "source": source}


def write_system(messages: Iterable[SystemMessage]) -> str | None:
    """The system prompt, which has a place of its own in a request; None if there is none."""
    return "\n".join(message.content for message in messages if message.content.strip()) or None


def merge_turns(turns: Sequence[Turn]) -> list[Turn]:
    """The turns with neighbours of one role made one, so that all results follow their calls in one turn."""
    merged: list[Turn] = []
    for turn in turns:
        if merged and merged[-1]["role"] == turn["role"]:
            merged[-1] = {"role": turn["role"], "content": merged[-1]["content"] + turn["content"]}
        else:
            merged.append(turn)
    return merged


def _text_block(text: str) -> Block:
    return {"type": "text", "text": text if text.strip() else EMPTY}


def _assistant_blocks(message: AssistantMessage) -> list[Block]:
    """What the model said: as it came if it came from Anthropic, since signed thinking must go back untouched."""
    received = cast("list[Block]", (message.vendor_blocks or {}).get(VENDOR, []))
    if received and _says_the_same(received, message.content):
        return received
    if isinstance(message.content, str):
        return [_text_block(message.content)]
    said = [_text_block(message.thought)] if message.thought and message.thought.strip() else []
    return [*said, *map(_call_block, message.content)]


def _says_the_same(received: list[Block], content: str | list[FunctionCall]) -> bool:
    """Whether the message still has the content that the blocks were received with."""
    if isinstance(content, str):
        return "".join(block["text"] for block in received if block["type"] == "text") == content
    return [block["id"] for block in received if block["type"] == "tool_use"] == [call.id for call in content]


def _call_block(call: FunctionCall) -> Block:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": _arguments(call.arguments)}


def _arguments(text: str) -> dict[str, object]:
    """Arguments as an object, which is all that the API takes; what is no JSON object is put into one."""
    try:
        parsed: object = json.loads(text or "{}")
    except ValueError:
        parsed = text
    return cast("dict[str, object]", parsed) if isinstance(parsed, dict) else {"arguments": parsed}


def _result_block(result: FunctionExecutionResult) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": result.call_id, "content": result.content}
    return {**block, "is_error": True} if result.is_error else block
