"""Replies of a model: what it is sent, and its answer as a reply."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any, Final, cast

from symposia.v02.agentchat._conversable import ModelCache, ModelWrapper, Reply
from symposia.v02.agentchat._forms import Form
from symposia.v02.agentchat._messages import Message, sent_to_model
from symposia.v02.agentchat.agent import Agent

logger = logging.getLogger(__name__)

LONGEST_NAME: Final = 64
"""The longest name of a function that OpenAI accepts."""

_FOREIGN = re.compile(r"[^a-zA-Z0-9_-]")


def normalized_name(name: str) -> str:
    """A name that a model wrote, as the name of a function: other characters become underscores."""
    return _FOREIGN.sub("_", name)[:LONGEST_NAME]


def checked_name(name: str) -> str:
    """The name of a function that a program gives to models.

    Raises:
        ValueError: It has other characters than ASCII letters, digits, `_` and `-`, or is longer than 64 characters.
    """
    if not name or _FOREIGN.search(name):
        raise ValueError(f"Invalid name: {name}. Only letters, numbers, '_' and '-' are allowed.")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"Invalid name: {name}. Name must be less than {LONGEST_NAME} characters.")
    return name


async def ask_model(
    form: Form,
    agent: Agent,
    client: ModelWrapper,
    messages: Sequence[Message],
    cache: ModelCache,
) -> Reply:
    """Ask a model to continue a conversation.

    The context of the last message is taken off it, as in AutoGen 0.2.

    Args:
        form: The form of the call.
        agent: The agent that asks.
        client: The client of its model.
        messages: The conversation, the system message first.
        cache: The cache of the model's answers.

    Returns:
        The text, or the message with calls of tools. None if the model gave neither.
    """
    context = messages[-1].pop("context", None)
    create = client.a_create if form.is_async else client.create
    response = await form.call(create, context=context, messages=sent_to_model(messages), cache=cache, agent=agent)
    choices = client.extract_text_or_completion_object(response)
    if not choices or choices[0] is None:
        logger.warning(
            "The model of agent '%s' answered %r, which has neither a text nor a call.", agent.name, response
        )
        return None
    return _as_reply(choices[0])


def _as_reply(choice: object) -> str | Message:
    if isinstance(choice, str):
        return choice
    dump = getattr(choice, "model_dump", None)  # of a pydantic model, which is not imported for it
    message: Message = dict(cast("Message", choice)) if dump is None else dump()
    if message.get("function_call"):
        _normalize(message["function_call"])
    for call in message.get("tool_calls") or ():
        _normalize(call["function"])
        if call["function"].get("arguments") == "":
            call["function"]["arguments"] = "{}"  # several vendors write no arguments as an empty text
    for key in ("function_call", "tool_calls"):
        if not message.get(key):
            message.pop(key, None)
    return message


def _normalize(call: dict[str, Any]) -> None:  # Any: as a model wrote it
    call["name"] = normalized_name(call["name"])
