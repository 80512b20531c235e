"""Messages as dicts: how they are read, stored in a history, and sent to a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from symposia.v02._code_text import content_str

Message: TypeAlias = dict[str, Any]  # Any: AutoGen 0.2 leaves the values of a message open
"""A message: `content`, `role`, `name`, `function_call`, `tool_calls`, `tool_responses`, `context` and others."""

_STORED: Final = ("content", "function_call", "tool_calls", "tool_responses", "tool_call_id", "name", "context")
"""The keys that a history has, in the order in which a printed message has them."""


def as_message(message: Mapping[str, Any] | str) -> Message:  # Any: as in `Message`
    """A message as a dict; a text becomes its content.

    Raises:
        TypeError: It is neither a text nor a mapping.
        ValueError: It is a list of something else than pairs.
    """
    if isinstance(message, str):
        return {"content": message}
    if isinstance(message, dict):
        return message
    return dict(message)


def stored_form(message: Message, role: str, name: str) -> Message | None:
    """A message as it is stored in a history.

    Args:
        message: The message.
        role: The role of its author in that history, unless the message is that of a tool or overrides its role.
        name: The name of its author, for a message without one.

    Returns:
        The message; None if it has neither content nor calls.
    """
    stored = {key: value for key in _STORED if (value := message.get(key)) is not None}
    if "content" not in stored:
        if "function_call" not in stored and "tool_calls" not in stored:
            return None
        stored["content"] = None
    if stored.get("function_call") or stored.get("tool_calls"):
        stored["role"] = "assistant"
        return stored
    own = message.get("role")
    stored["role"] = own if own in ("function", "tool") else message.get("override_role", role)
    stored.setdefault("name", name)
    return stored


def sent_to_model(messages: Iterable[Message]) -> list[Message]:
    """The messages of a conversation as a model is sent them: each result of a tool is a message of its own."""
    sent: list[Message] = []
    for message in messages:
        if not (responses := message.get("tool_responses")):
            sent.append(message)
            continue
        sent += responses
        if message.get("role") != "tool":
            sent.append({key: value for key, value in message.items() if key != "tool_responses"})
    return sent


def called_functions(message: Message) -> list[str]:
    """The names of the functions that a message calls."""
    calls = [message["function_call"]] if message.get("function_call") else []
    calls += [
        call["function"] for call in message.get("tool_calls") or () if call.get("type", "function") == "function"
    ]
    return [call["name"] for call in calls]


def text_of(message: Message) -> str:
    """The text of a message's content; the empty text if it has none.

    Raises:
        TypeError: The content is neither a text nor a list.
    """
    content = message.get("content")
    return content if isinstance(content, str) else content_str(content)
