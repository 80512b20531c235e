"""Messages as Chat Completions wants them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from symposia.core import Image
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import (
    AssistantMessage,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from symposia.ext.models.openai._opaque import with_opaque_fields

Wire: TypeAlias = dict[str, Any]  # JSON

NAME_LIMIT: Final = 64
_NOT_IN_NAMES: Final = re.compile(r"[\s<|\\/>]")


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageWriter:
    """Writes messages in OpenAI's format.

    Attributes:
        model: Whom they are for.
        vision: Whether it takes images.
        add_name_prefixes: Whether a user message begins with who said it.
        include_name_in_message: Whether a user message carries who said it in its ``name`` field.
    """

    model: str
    vision: bool
    add_name_prefixes: bool
    include_name_in_message: bool

    def write(self, message: LLMMessage) -> tuple[Wire, ...]:
        """One message, or one for each result of several tool calls.

        Raises:
            InvalidArgumentError: It has an image, and the model takes none.
        """
        match message:
            case SystemMessage():
                return ({"role": "system", "content": message.content},)
            case UserMessage():
                return (self._user(message),)
            case AssistantMessage():
                return (_assistant(message),)
            case FunctionExecutionResultMessage():
                return tuple(_tool_results(message))

    def _user(self, message: UserMessage) -> Wire:
        prefix = f"{message.source} said:\n" if self.add_name_prefixes else ""
        content = message.content
        wire: Wire = {"role": "user"}
        wire["content"] = prefix + content if isinstance(content, str) else self._parts(prefix, content)
        if self.include_name_in_message and (name := _NOT_IN_NAMES.sub("_", message.source)[:NAME_LIMIT]):
            wire["name"] = name
        return wire

    def _parts(self, prefix: str, content: Iterable[str | Image]) -> list[Wire]:
        parts: list[Wire] = [{"type": "text", "text": prefix}] if prefix else []
        for part in content:
            if isinstance(part, str):
                parts.append({"type": "text", "text": part})
            elif self.vision:
                parts.append(part.to_openai_format())
            else:
                raise InvalidArgumentError(
                    f"A message has an image, and model {self.model!r} takes none, by its model_info."
                )
        return parts


def _assistant(message: AssistantMessage) -> Wire:
    if isinstance(message.content, str):
        return {"role": "assistant", "content": message.content}
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in message.content
    ]
    return with_opaque_fields({"role": "assistant", "content": message.thought, "tool_calls": calls}, message)


def _tool_results(message: FunctionExecutionResultMessage) -> Iterable[Wire]:
    return ({"role": "tool", "tool_call_id": result.call_id, "content": result.content} for result in message.content)
