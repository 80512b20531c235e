"""Hooks: functions of a program that change messages before they are sent, and before a reply is generated."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from symposia.v02.agentchat._forms import Form
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent

Hook: TypeAlias = Callable[..., Any]  # Any: a plain or a coroutine function; each method says what it takes
HookTable: TypeAlias = dict[str, list[Hook]]

_METHODS: Final = ("process_last_received_message", "process_all_messages_before_reply", "process_message_before_send")


def no_hooks() -> HookTable:
    """The methods that can have hooks, without any."""
    return {name: [] for method in _METHODS for name in (method, f"a_{method}")}


def add_hook(hooks: HookTable, method: str, hook: Hook) -> None:
    """Register a hook.

    Raises:
        AssertionError: There is no such method, or the hook is registered for it.
    """
    if method not in hooks:
        raise AssertionError(f"{method} is not a hookable method.")
    if hook in hooks[method]:
        raise AssertionError(f"{hook} is already registered as a hook.")
    is_async, for_async = inspect.iscoroutinefunction(hook), method.startswith("a_")
    if is_async != for_async:
        kind, place = ("asynchronous", "synchronous") if is_async else ("synchronous", "asynchronous")
        warnings.warn(
            f"Hook '{getattr(hook, '__name__', hook)}' is {kind}, but it's being registered in a {place} context "
            f"('{method}'). Ensure the hook matches the expected execution context.",
            UserWarning,
            stacklevel=3,
        )
    hooks[method].append(hook)


async def before_send(
    form: Form, hooks: HookTable, sender: Agent, message: Message | str, recipient: Agent, silent: bool | None
) -> Message | str:
    """The message as the hooks leave it, before it is sent."""
    for hook in hooks[_name(form, "process_message_before_send")]:
        message = await form.call(hook, sender=sender, message=message, recipient=recipient, silent=silent)
    return message


async def before_reply(form: Form, hooks: HookTable, messages: list[Message]) -> list[Message]:
    """All messages of a conversation as the hooks leave them, before a reply is generated."""
    for hook in hooks[_name(form, "process_all_messages_before_reply")]:
        messages = await form.call(hook, messages)
    return messages


async def last_message(form: Form, hooks: HookTable, messages: list[Message]) -> list[Message]:
    """A conversation with the content of its last message as the hooks leave it.

    The message itself is changed, so the history has the new content too, as in AutoGen 0.2. A message with a call or a
    context, or whose text is `exit`, is not given to hooks.
    """
    each = hooks[_name(form, "process_last_received_message")]
    if not each or not messages or not _has_plain_content(messages[-1]):
        return messages
    last = messages[-1]
    given = content = last["content"]
    for hook in each:
        content = await form.call(hook, content)
    if content == given:
        return messages
    last["content"] = content
    return messages.copy()


def _name(form: Form, method: str) -> str:
    return f"a_{method}" if form.is_async else method


def _has_plain_content(message: Message) -> bool:
    is_plain = "function_call" not in message and "context" not in message
    return is_plain and message.get("content") not in (None, "exit")
