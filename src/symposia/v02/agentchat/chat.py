"""The result of a chat, and chats that are held one after another, or as their prerequisites allow."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias

from symposia._program_line import level_outside
from symposia.v02._plain import run_plain
from symposia.v02.agentchat._carryover import carryover_text
from symposia.v02.agentchat._forms import PLAIN, Form
from symposia.v02.agentchat._messages import Message, as_message
from symposia.v02.agentchat.utils import consolidate_chat_info
from symposia.v02.formatting_utils import colored
from symposia.v02.io import IOStream

__all__ = ["ChatInfo", "ChatResult", "Prerequisite", "a_initiate_chats", "initiate_chats"]

Prerequisite: TypeAlias = tuple[int, int]
"""A chat, and one that comes before it."""

ChatInfo: TypeAlias = dict[str, Any]  # Any: the arguments of `initiate_chat`, and `sender`
"""A chat of a queue: the arguments of `initiate_chat` by name, and its `sender`."""


@dataclass
class ChatResult:
    """The result of a chat.

    Attributes:
        chat_id: The number of the chat in its queue.
        chat_history: Its messages, as its initiator has them.
        summary: Its summary.
        cost: What models cost, with and without the answers that a cache had.
        human_input: What the initiator's person said.
    """

    chat_id: int | None = None
    chat_history: list[Message] = None  # type: ignore[assignment] # pyright: ignore[reportAssignmentType] - AutoGen's default
    summary: str = None  # type: ignore[assignment] # pyright: ignore[reportAssignmentType] - as above
    cost: dict[str, dict[str, Any]] = None  # type: ignore[assignment] # pyright: ignore[reportAssignmentType] - as above
    human_input: list[str] = None  # type: ignore[assignment] # pyright: ignore[reportAssignmentType] - as above


def initiate_chats(chat_queue: list[ChatInfo]) -> list[ChatResult]:
    """Hold chats one after another. The summaries of those before are carried over to each.

    Args:
        chat_queue: The chats: each has the arguments of `ConversableAgent.initiate_chat`, and `sender`.
            `finished_chat_indexes_to_exclude_from_carryover` lists chats whose summaries it does not get.

    Returns:
        Their results, in the same order.

    Raises:
        AssertionError: A chat lacks its sender or recipient, or cannot be summarized as it says.
    """
    return run_plain(in_order(PLAIN, chat_queue))


async def in_order(form: Form, chat_queue: list[ChatInfo]) -> list[ChatResult]:
    """As `initiate_chats`, in a form."""
    consolidate_chat_info(chat_queue)
    _warn_of_repeated_recipients(chat_queue)
    finished: list[ChatResult] = []
    for each in chat_queue:
        excluded: Sequence[int] = each.get("finished_chat_indexes_to_exclude_from_carryover", ())
        carried = [result.summary for i, result in enumerate(finished) if i not in excluded]
        chat = _with_carryover(each, carried)
        _print_banner(chat)
        finished.append(await form.initiate_chat(chat["sender"], chat))
    return finished


async def a_initiate_chats(chat_queue: list[ChatInfo]) -> dict[int, ChatResult]:
    """Hold chats, each when its prerequisites have ended, and at the same time where it can be.

    Args:
        chat_queue: The chats, as for `initiate_chats`. Each has a `chat_id`, and may have `prerequisites`: the ids of
            the chats that come before it, whose summaries are carried over to it.

    Returns:
        Their results by id.

    Raises:
        AssertionError: As for `initiate_chats`.
        ValueError: A chat has no id, or prerequisites are not in the queue or wait for each other.
    """
    consolidate_chat_info(chat_queue)
    _warn_of_repeated_recipients(chat_queue)
    chats = _by_id(chat_queue)
    tasks: dict[int, asyncio.Task[ChatResult]] = {}

    async def hold(chat_id: int, chat: ChatInfo) -> ChatResult:
        excluded: Sequence[int] = chat.get("finished_chat_indexes_to_exclude_from_carryover", ())
        before = {each: await tasks[each] for each in chat.get("prerequisites", ())}
        chat = _with_carryover(chat, [result.summary for each, result in before.items() if each not in excluded])
        _print_banner(chat)
        result: ChatResult = await chat["sender"].a_initiate_chat(**chat)
        result.chat_id = chat_id
        return result

    for chat_id in _order(chats):
        tasks[chat_id] = asyncio.create_task(hold(chat_id, chats[chat_id]))
    try:
        results = await asyncio.gather(*tasks.values())
    finally:  # when one has failed, its error is raised, and the others do not go on
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    return dict(zip(tasks, results, strict=True))


def _by_id(chat_queue: Sequence[ChatInfo]) -> dict[int, ChatInfo]:
    chats: dict[int, ChatInfo] = {}
    for each in chat_queue:
        if "chat_id" not in each:
            raise ValueError("Each chat of a_initiate_chats needs a 'chat_id'.")
        if each["chat_id"] in chats:
            raise ValueError(f"Two chats have the chat_id {each['chat_id']!r}. Give each its own.")
        chats[each["chat_id"]] = each
    return chats


def _order(chats: Mapping[int, ChatInfo]) -> list[int]:
    before: dict[int, Sequence[int]] = {chat_id: chat.get("prerequisites", ()) for chat_id, chat in chats.items()}
    if unknown := {each for ids in before.values() for each in ids} - chats.keys():
        raise ValueError(f"Prerequisites are not in the queue: {sorted(unknown)}. Add chats with these ids.")
    try:
        return list(TopologicalSorter(before).static_order())
    except CycleError as error:
        circle = " → ".join(str(each) for each in error.args[1])
        raise ValueError(f"Chats are prerequisites of each other: {circle}. Remove one of them.") from None


def _warn_of_repeated_recipients(chat_queue: Sequence[ChatInfo]) -> None:
    recipients = [each["recipient"] for each in chat_queue]
    if len(set(recipients)) < len(recipients):
        warnings.warn(
            "Repetitive recipients detected: The chat history will be cleared by default if a recipient appears more "
            "than once. To retain the chat history, please set 'clear_history=False' in the configuration of the "
            "repeating agent.",
            UserWarning,
            stacklevel=level_outside(2),
        )


def _with_carryover(chat: ChatInfo, summaries: Sequence[object]) -> ChatInfo:
    own = chat.get("carryover", [])
    return {**chat, "carryover": [*(own if isinstance(own, list) else [own]), *summaries]}


def _print_banner(chat: ChatInfo) -> None:
    if chat.get("silent", False):
        return
    stream = IOStream.get_default()
    stream.print(colored("\n" + "*" * 80, "blue"), flush=True, sep="")
    stream.print(colored("Starting a new chat....", "blue"), flush=True)
    if chat.get("verbose", False):
        message = chat.get("message")
        shown = "" if message is None or callable(message) else as_message(message).get("content")
        stream.print(colored(f"Message:\n{shown}", "blue"), flush=True)
        stream.print(colored(f"Carryover:\n{carryover_text(chat['carryover'])}", "blue"), flush=True)
    stream.print(colored("\n" + "*" * 80, "blue"), flush=True, sep="")
