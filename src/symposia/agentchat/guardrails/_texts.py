"""The texts of a message or a call as a model or a tool reads them, to search and to replace.

The context of a handoff has messages for the model of the next agent. They are checked too: otherwise the result of a
tool would pass unchecked with the handoff.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar, cast

from symposia.agentchat.messages import BaseChatMessage, BaseTextChatMessage, HandoffMessage, MultiModalMessage
from symposia.core import FunctionCall
from symposia.core.models import AssistantMessage, FunctionExecutionResult, LLMMessage

ValueT = TypeVar("ValueT")


def json_text(value: object) -> str:
    """A value as JSON, as a model or a person reads it."""
    return json.dumps(value, ensure_ascii=False, default=str)


def texts_in(value: object) -> Iterator[str]:
    """All texts in a JSON value as they are, without the escapes of JSON, which a tool never sees."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in cast("Mapping[str, object]", value).values():
            yield from texts_in(each)
    elif isinstance(value, list | tuple):
        for each in cast("Sequence[object]", value):
            yield from texts_in(each)


def names_in(value: object) -> Iterator[str]:
    """The names of all fields in a JSON value."""
    if isinstance(value, Mapping):
        for name, each in cast("Mapping[str, object]", value).items():
            yield name
            yield from names_in(each)
    elif isinstance(value, list | tuple):
        for each in cast("Sequence[object]", value):
            yield from names_in(each)


def replaced_in(value: object, replace: Callable[[str], str]) -> object:
    """A JSON value with `replace` applied to all texts in it; the names of fields stay."""
    if isinstance(value, str):
        return replace(value)
    if isinstance(value, Mapping):
        return {name: replaced_in(each, replace) for name, each in cast("Mapping[str, object]", value).items()}
    if isinstance(value, list):
        return [replaced_in(each, replace) for each in cast("list[object]", value)]
    return value


def message_text(message: BaseChatMessage) -> str:
    """All that a model reads of a message."""
    return "\n\n".join([message.to_model_text(), *context_texts(message)])


def context_texts(message: BaseChatMessage) -> Iterator[str]:
    """The texts of the messages that a handoff brings along."""
    if isinstance(message, HandoffMessage):
        for each in message.context:
            yield from _texts_of(each)


def content_texts(message: BaseChatMessage) -> Iterator[str]:
    """The texts of the content of a message that `with_texts` can replace."""
    if isinstance(message, BaseTextChatMessage | MultiModalMessage):
        yield from texts_in(message.content)


def with_texts(message: BaseChatMessage, replace: Callable[[str], str]) -> BaseChatMessage | None:
    """The message with `replace` applied to all texts of its content and context.

    None if its content is neither text nor a list of texts and images.
    """
    if not isinstance(message, BaseTextChatMessage | MultiModalMessage):
        return None
    update: dict[str, object] = {"content": replaced_in(message.content, replace)}
    if isinstance(message, HandoffMessage):
        update["context"] = [_with_texts(each, replace) for each in message.context]
    return message.model_copy(update=update)


def with_text(message: BaseChatMessage, text: str) -> BaseChatMessage | None:
    """The message with another text, in place of all that a model reads of it; None if its content is no text."""
    if not isinstance(message, BaseTextChatMessage):
        return None
    context: dict[str, object] = {"context": []} if isinstance(message, HandoffMessage) else {}
    return message.model_copy(update={"content": text, **context})


def _texts_of(message: LLMMessage) -> Iterator[str]:
    for piece in _pieces(message.content):
        if isinstance(piece, FunctionCall):
            yield piece.arguments
            yield from texts_in(_parsed(piece.arguments))
        elif isinstance(piece, FunctionExecutionResult):
            yield piece.content
        elif isinstance(piece, str):
            yield piece
    if isinstance(message, AssistantMessage) and message.thought:
        yield message.thought


def _pieces(content: object) -> Sequence[object]:
    return cast("Sequence[object]", content) if isinstance(content, list) else [content]


def _with_texts(message: LLMMessage, replace: Callable[[str], str]) -> LLMMessage:
    content: object = message.content
    content = (
        [_replaced_piece(piece, replace) for piece in _pieces(content)]
        if isinstance(content, list)
        else _replaced_piece(content, replace)
    )
    update: dict[str, object] = {"content": content}
    if isinstance(message, AssistantMessage) and message.thought:
        update["thought"] = replace(message.thought)
    return message.model_copy(update=update)


def _replaced_piece(piece: object, replace: Callable[[str], str]) -> object:
    if isinstance(piece, str):
        return replace(piece)
    if isinstance(piece, FunctionCall):
        arguments = _parsed(piece.arguments)
        text = replace(piece.arguments) if arguments is None else json_text(replaced_in(arguments, replace))
        return FunctionCall(id=piece.id, arguments=text, name=piece.name)
    if isinstance(piece, FunctionExecutionResult):
        return piece.model_copy(update={"content": replace(piece.content)})
    return piece


def _parsed(arguments: str) -> object:
    """The arguments of a call that a model wrote; None if they are no JSON."""
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return None
