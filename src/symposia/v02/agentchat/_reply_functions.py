"""The reply functions of an agent: which of them apply to a sender, and what each is given."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any, Final, TypeAlias, cast

from typing_extensions import TypedDict

from symposia.v02.agentchat._conversable import ReplyFunction
from symposia.v02.agentchat.agent import Agent
from symposia.v02.exception_utils import SenderRequired

Trigger: TypeAlias = type[Any] | str | Agent | Callable[[Any], bool] | list[Any] | None  # Any: classes and senders
"""The senders to which a reply function applies: see `ConversableAgent.register_reply`."""


class ReplyEntry(TypedDict):
    """A registered reply function.

    Attributes:
        trigger: The senders to which it applies: see `ConversableAgent.register_reply`.
        reply_func: The function.
        config: What it is given as `config`.
        init_config: `config` as it was registered.
        reset_config: Resets `config`; None replaces it with a copy of `init_config`.
        ignore_async_in_sync_chat: Whether a chat in the plain form leaves out a coroutine function.
    """

    trigger: object
    reply_func: ReplyFunction
    config: Any  # Any: the program's
    init_config: Any  # Any: the program's
    reset_config: Callable[[Any], object] | None
    ignore_async_in_sync_chat: bool


def make_entry(
    trigger: object,
    function: ReplyFunction,
    config: object,
    reset_config: Callable[[Any], object] | None,
    *,
    ignore_async_in_sync_chat: bool,
) -> ReplyEntry:
    """A reply function as it is registered.

    Raises:
        ValueError: The trigger is none.
    """
    if not (isinstance(trigger, (type, str, list, Agent)) or callable(trigger)):
        raise ValueError("trigger must be a class, a string, an agent, a callable or a list.")  # noqa: TRY004 - as in AutoGen 0.2
    return {
        "trigger": cast("object", trigger),
        "reply_func": function,
        "config": copy.copy(config),
        "init_config": config,
        "reset_config": reset_config,
        "ignore_async_in_sync_chat": ignore_async_in_sync_chat,
    }


def reset(entry: ReplyEntry) -> None:
    """Reset the configuration of a reply function."""
    if entry["reset_config"] is not None:
        entry["reset_config"](entry["config"])
    else:
        entry["config"] = copy.copy(entry["init_config"])


def chosen(
    entries: Iterable[ReplyEntry],
    sender: Agent | None,
    *,
    exclude: Collection[ReplyFunction],
    twins: Mapping[ReplyFunction, ReplyFunction],
    is_async: bool,
) -> Iterator[ReplyEntry]:
    """The reply functions that are called for a sender, in order, up to the first whose reply is final.

    Args:
        entries: All reply functions of an agent.
        sender: The agent to which the reply goes.
        exclude: Those that are left out.
        twins: The coroutine functions that stand for plain ones in the asynchronous form. AutoGen 0.2 calls both there:
            it asks a person twice, and counts a reply twice.
        is_async: Whether coroutine functions can be awaited.
    """
    awaited: list[ReplyFunction] = []
    for entry in list(entries):
        function = entry["reply_func"]
        if function in exclude or (is_async and twins.get(function) in awaited):
            continue
        if not is_async and is_coroutine_function(function):
            continue
        if applies(entry["trigger"], sender):
            awaited.append(function)
            yield entry


def applies(trigger: object, sender: Agent | None) -> bool:
    """Whether a trigger names a sender.

    Raises:
        SenderRequired: The trigger is a name, and there is no sender.
        AssertionError: A function returned something else than a bool.
        ValueError: The trigger is none.
    """
    # In the order of how often they occur, and without calls: this is asked for each reply function. A class of the
    # sender's is looked for first, since `isinstance` takes a hundred times as long for a protocol.
    if trigger is None:
        return sender is None
    if isinstance(trigger, type):
        return trigger in type(sender).__mro__ or isinstance(sender, trigger)
    if isinstance(trigger, list):
        for each in cast("list[object]", trigger):
            if isinstance(each, type):
                if each in type(sender).__mro__ or isinstance(sender, each):
                    return True
            elif applies(each, sender):
                return True
        return False
    return _names(trigger, sender)


def _names(trigger: object, sender: Agent | None) -> bool:
    if isinstance(trigger, str):
        if sender is None:
            raise SenderRequired
        return trigger == sender.name
    if isinstance(trigger, Agent):
        return trigger == sender
    if callable(trigger):
        matches = trigger(sender)
        if not isinstance(matches, bool):
            raise AssertionError(f"trigger {trigger} must return a boolean value.")  # noqa: TRY004 - as in AutoGen 0.2
        return matches
    raise ValueError(f"Unsupported trigger type: {type(trigger)}")


def is_coroutine_function(function: ReplyFunction) -> bool:
    """Whether a function has to be awaited. As `inspect.iscoroutinefunction`, in a thirtieth of its time for most."""
    if type(function) is FunctionType:
        known = _OWN.get(function)
        if known is not None:
            return known
        if not function.__dict__:  # no mark of `inspect.markcoroutinefunction`
            return bool(function.__code__.co_flags & inspect.CO_COROUTINE)
    return inspect.iscoroutinefunction(function)


def note_own(plain: ReplyFunction, asynchronous: ReplyFunction) -> None:
    """Note which of two reply functions of a class of ours has to be awaited: each reply asks that of all of them."""
    _OWN[plain], _OWN[asynchronous] = False, True


_OWN: Final[dict[ReplyFunction, bool]] = {}


def coroutine_functions(entries: Iterable[ReplyEntry]) -> set[ReplyFunction]:
    """The reply functions that a chat in the plain form can neither call nor leave out."""
    return {
        entry["reply_func"]
        for entry in entries
        if not entry["ignore_async_in_sync_chat"] and is_coroutine_function(entry["reply_func"])
    }
