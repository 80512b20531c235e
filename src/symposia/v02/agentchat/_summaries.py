"""Summaries of chats: the last message, a model's reflection, or a function of the program."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

from symposia.v02.agentchat._conversable import Conversable, ModelCache
from symposia.v02.agentchat._forms import Form
from symposia.v02.agentchat._messages import Message, text_of
from symposia.v02.agentchat._model_replies import ask_model
from symposia.v02.agentchat.agent import Agent

SummaryMethod: TypeAlias = str | Callable[..., Any] | None  # Any: a text, or what the program puts into the result
"""`last_msg`, `reflection_with_llm`, a function of sender, recipient and arguments, or None for the empty text."""

REFLECTION: Final = "reflection_with_llm"
LAST_MESSAGE: Final = "last_msg"


def check_summary_method(method: object, sender: Agent, recipient: Agent) -> None:
    """Check that a chat can be summarized in a way.

    Raises:
        AssertionError: It is no summary method, or it needs a model that neither agent has.
    """
    if not (method in (None, LAST_MESSAGE, REFLECTION) or callable(method)):
        raise AssertionError(
            "summary_method must be a string chosen from 'reflection_with_llm' or 'last_msg' or a callable, or None."
        )
    has_client = getattr(recipient, "client", None) is not None or getattr(sender, "client", None) is not None
    if method == REFLECTION and not has_client:
        raise AssertionError(
            "llm client must be set in either the recipient or sender when summary_method is reflection_with_llm."
        )


async def summarize(
    form: Form,
    sender: Conversable,
    recipient: Conversable,
    method: SummaryMethod,
    arguments: Mapping[str, Any],  # Any: `summary_prompt`, `summary_role`, and those of the program's function
    cache: ModelCache,
    *,
    default_prompt: str,
) -> Any:  # Any: as in `SummaryMethod`
    """Summarize a chat.

    Args:
        form: The form of the chat.
        sender: The agent that began it.
        recipient: The other agent.
        method: How it is summarized.
        arguments: Options of that.
        cache: The cache of the model's answers.
        default_prompt: The prompt of a reflection without one.
    """
    arguments = {**arguments, "cache": arguments.get("cache", cache)}
    if method is None:
        return ""
    if method == LAST_MESSAGE:
        return _last_text(sender, recipient)
    if method == REFLECTION:
        return await _reflection(form, sender, recipient, arguments, default_prompt)
    assert callable(method)  # noqa: S101 - `check_summary_method` was called
    return await form.call(method, sender, recipient, arguments)


def _last_text(sender: Agent, recipient: Conversable) -> str:
    try:
        last = recipient.last_message(sender)
    except (IndexError, KeyError) as error:
        warnings.warn(
            f"Cannot extract summary using last_msg: {error}. Using an empty str as summary.", UserWarning, stacklevel=2
        )
        return ""
    return "" if last is None else _text(last.get("content")).replace("TERMINATE", "")


def _text(content: object) -> str:
    if isinstance(content, list):
        parts = cast("list[Message]", content)
        return "\n".join(part["text"] for part in parts if part.get("type") == "text")
    return content if isinstance(content, str) else ""


async def _reflection(
    form: Form, sender: Conversable, recipient: Conversable, arguments: Mapping[str, Any], default_prompt: str
) -> str:
    prompt = arguments.get("summary_prompt")
    prompt = default_prompt if prompt is None else prompt
    if not isinstance(prompt, str):
        raise ValueError("The summary_prompt must be a string.")  # noqa: TRY004 - as in AutoGen 0.2
    role = arguments.get("summary_role") or "system"
    if not isinstance(role, str):
        raise ValueError("The summary_role in summary_arg must be a string.")  # noqa: TRY004 - as in AutoGen 0.2
    asking = sender if recipient.client is None else recipient
    assert asking.client is not None  # noqa: S101 - `check_summary_method` was called
    request: Message = {"role": role, "content": prompt}
    messages = [*recipient.chat_messages_for_summary(sender), request]
    summary = await ask_model(form, asking, asking.client, messages, arguments.get("cache"))
    return text_of(summary) if isinstance(summary, dict) else summary or ""
