"""The answer of an agent: checked, since a program writes agents of its own, and its tokens in the agent's span."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import cast

from symposia.agentchat._answers import checked_awaitable
from symposia.agentchat.base import ChatAgent, Response
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, Item, SelectSpeakerEvent
from symposia.core import CancellationToken
from symposia.core.exceptions import AgentError
from symposia.core.models import RequestUsage, UsageAccount, usage_attributes
from symposia.core.telemetry import Activity, Attributes


async def ask_agent(
    agent: ChatAgent, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
) -> Response:
    """Let an agent answer by `on_messages`.

    Raises:
        UsageError: `on_messages` is no coroutine function.
        AgentError: It returned no `Response`.
        Exception: Whatever it raised.
    """
    answer = checked_awaitable("on_messages", "agent", agent.name, agent.on_messages(messages, cancellation_token))
    given = await answer
    if not isinstance(given, Response):
        raise AgentError(
            f"on_messages of the agent {agent.name!r} has to return a Response, as Response(chat_message=message), "
            f"and returned {given!r}."
        )
    return checked_response(agent, "on_messages", given)


async def final_response(
    agent: str, stream: AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]
) -> Response:
    """The response at the end of the stream of a turn.

    Raises:
        AgentError: The stream has none.
    """
    async with aclosing(stream):
        async for item in stream:
            if isinstance(item, Response):
                return item
    raise no_response(agent)


def no_response(agent: str) -> AgentError:
    """The error for the stream of a turn that has no response."""
    return AgentError(
        f"The stream of a turn of the agent {agent!r} ended without a Response: on_messages_stream has to yield one, "
        "last."
    )


def ask_agent_stream(
    agent: ChatAgent, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
    """Let an agent answer by `on_messages_stream`.

    Raises:
        AgentError: `on_messages_stream` is no async generator.
    """
    stream = agent.on_messages_stream(messages, cancellation_token)
    if not hasattr(stream, "__aiter__"):
        close = getattr(stream, "close", None)  # of a coroutine, which would be reported as never awaited
        if close is not None:
            close()
        raise AgentError(
            f"on_messages_stream of the agent {agent.name!r} has to be an async generator: write async def, yield the "
            "events, and a Response last."
        )
    return stream


def checked_response(agent: ChatAgent, method: str, response: Response) -> Response:
    """A response of an agent.

    Args:
        agent: The agent.
        method: The method that gave it.
        response: The response.

    Raises:
        AgentError: Its `chat_message` is no chat message, or one of its `inner_messages` no message or event.
    """
    message = cast("object", response.chat_message)
    if not isinstance(message, BaseChatMessage):
        raise AgentError(
            f"The chat_message of the Response of {method} of the agent {agent.name!r} has to be a chat message, such "
            f"as TextMessage(content=..., source={agent.name!r}), not {message!r}."
        )
    if response.inner_messages:  # seldom
        _check_inner(agent, method, response.inner_messages)
    return response


def _check_inner(agent: ChatAgent, method: str, inner: object) -> None:
    items = cast("Sequence[object]", inner) if isinstance(inner, Sequence) and not isinstance(inner, str) else [inner]
    for item in items:
        if not isinstance(item, BaseAgentEvent | BaseChatMessage):
            raise AgentError(
                f"The inner_messages of the Response of {method} of the agent {agent.name!r} have to be a list of "
                f"messages and events, not {inner!r}."
            )


def checked_item(agent: ChatAgent, item: object) -> BaseAgentEvent | BaseChatMessage:
    """What an agent shows before its answer.

    Raises:
        AgentError: It is neither an event nor a message.
    """
    if not isinstance(item, BaseAgentEvent | BaseChatMessage):
        raise AgentError(
            f"on_messages_stream of the agent {agent.name!r} has to yield events and messages, and a Response last, "
            f"not {item!r}."
        )
    return item


def ordered_items(shown: Sequence[str], response: Response) -> list[BaseAgentEvent | BaseChatMessage] | None:
    """The messages and events of a turn in the order of its response.

    What calls of tools show at the same time is shown as it comes. The response has it in the order of the calls, which
    does not depend on timing.

    Args:
        shown: The ids of what was shown before the response, in order, without the pieces of streamed messages.
        response: The end of the turn.

    Returns:
        The items; None if they were shown in this order, or if the response has not all of them.
    """
    inner = response.inner_messages or ()
    ids = [message.id for message in inner]
    if ids[: len(shown)] == shown or not set(shown) <= set(ids):
        return None
    return [*inner, response.chat_message]


def usage_event(usage: RequestUsage, team: str) -> SelectSpeakerEvent | None:
    """Tokens that belong to no message of a team, as an event of that team; None if there are none.

    Consumers that read only messages and events count them by this event.
    """
    if not (usage.prompt_tokens or usage.completion_tokens):
        return None
    return SelectSpeakerEvent(content=[], source=team, models_usage=usage)


def add_usage(one: RequestUsage | None, other: RequestUsage | None) -> RequestUsage | None:
    """The tokens of both; None if neither has any."""
    if one is None or other is None:
        return one or other
    return one + other


def silent_usage_of(account: UsageAccount, shown: Iterable[Item]) -> RequestUsage | None:
    """The tokens of a turn that are in none of the messages and events that it has shown; None if there are none."""
    return account.beyond(item.models_usage for item in shown)


def note_response(activity: Activity, response: Response, silent: RequestUsage | None) -> None:
    """Add the tokens of an answer to a span.

    Args:
        activity: The span.
        response: The answer.
        silent: Tokens that are in none of its messages.
    """
    activity.note(lambda: _usage((*(response.inner_messages or ()), response.chat_message), silent))


def _usage(messages: Iterable[Item], silent: RequestUsage | None) -> Attributes:
    counted = [usage for usage in (*(message.models_usage for message in messages), silent) if usage is not None]
    if not counted:
        return {}
    return usage_attributes(sum(counted, RequestUsage(0, 0)))
