"""Where a conversation may be cut.

Vendors refuse a tool result whose call is not in the message before it, and a call that has no result. So an assistant
message that calls tools and the results that follow it directly are one exchange, which a cut keeps or drops as one;
every other message is an exchange of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from symposia.core.models import AssistantMessage, FunctionExecutionResultMessage, LLMMessage

Exchange: TypeAlias = list[LLMMessage]


def split(messages: Sequence[LLMMessage]) -> list[Exchange]:
    """The exchanges that a conversation is made of, in order."""
    exchanges: list[Exchange] = []
    for message in messages:
        if isinstance(message, FunctionExecutionResultMessage) and exchanges and _is_open(exchanges[-1]):
            exchanges[-1].append(message)
        else:
            exchanges.append([message])
    return exchanges


def whole(messages: Sequence[LLMMessage], *, is_end: bool) -> list[LLMMessage]:
    """The messages without the exchanges that a cut has broken.

    Args:
        messages: A piece of a conversation.
        is_end: Whether it is the end of the conversation, where a call may still wait for its results.
    """
    if not any(map(_is_about_tools, messages)):
        return list(messages)  # most pieces of most conversations
    exchanges = split(messages)
    last = len(exchanges) - 1
    return [
        message
        for number, exchange in enumerate(exchanges)
        if _is_whole(exchange, may_wait=is_end and number == last)
        for message in exchange
    ]


def last_exchange(messages: Sequence[LLMMessage]) -> Exchange:
    """The exchange that a conversation ends with; empty when that is a result without its call."""
    start = len(messages) - 1
    while start > 0 and isinstance(messages[start], FunctionExecutionResultMessage):
        start -= 1
    return whole(messages[start:], is_end=True)


def _is_about_tools(message: LLMMessage) -> bool:
    return isinstance(message, FunctionExecutionResultMessage) or (
        isinstance(message, AssistantMessage) and not isinstance(message.content, str)
    )


def _is_open(exchange: Exchange) -> bool:
    """Whether results that come next belong to this exchange."""
    return bool(_calls(exchange[0]))


def _is_whole(exchange: Exchange, *, may_wait: bool) -> bool:
    calls = _calls(exchange[0])
    results = {result for message in exchange for result in _results(message)}
    return results <= calls if may_wait else results == calls


def _calls(message: LLMMessage) -> set[str]:
    if isinstance(message, AssistantMessage) and not isinstance(message.content, str):
        return {call.id for call in message.content}
    return set()


def _results(message: LLMMessage) -> set[str]:
    if isinstance(message, FunctionExecutionResultMessage):
        return {result.call_id for result in message.content}
    return set()
