"""An agent that is given a part of the messages: of each source, the first or the last ones."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from symposia.agentchat._response import ask_agent, ask_agent_stream
from symposia.agentchat.agents._wrapping_agent import WrappingAgent, check_wrapped_agent
from symposia.agentchat.base import ChatAgent, Response
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.core import CancellationToken
from symposia.core.exceptions import ArgumentTypeError


class PerSourceFilter(BaseModel):
    """Which messages of a source an agent is given.

    Attributes:
        source: The name of the source.
        position: Whether to take the first or the last of its messages; None for all of them.
        count: How many to take; None for all of them.
    """

    model_config = ConfigDict(defer_build=True)

    source: str
    position: Literal["first", "last"] | None = None
    count: int | None = Field(default=None, ge=0)


class MessageFilterConfig(BaseModel):
    """Which messages an agent is given: those that the filters select, in the order of the filters.

    Attributes:
        per_source: The filters. Messages of other sources are left out.
    """

    model_config = ConfigDict(defer_build=True)

    per_source: list[PerSourceFilter]


class MessageFilterAgent(WrappingAgent):
    """An agent around another one that gives it a part of the messages.

    The filter selects among the messages of one turn. In a team these are the ones since the agent's last turn. The
    answer is the inner agent's, under the name of the inner agent.

    Args:
        name: The name of this agent. The inner one may have the same name, so that other agents know it by one.
        wrapped_agent: The inner agent.
        filter: Which messages it is given.

    Raises:
        ArgumentTypeError: `wrapped_agent` is no agent, or `filter` is of another type.
    """

    def __init__(self, name: str, wrapped_agent: ChatAgent, filter: MessageFilterConfig) -> None:  # noqa: A002 - AutoGen's
        owner = f"of the agent {name!r}"
        check_wrapped_agent(f"wrapped_agent {owner}", wrapped_agent)
        if not isinstance(filter, MessageFilterConfig):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise ArgumentTypeError(
                f"filter {owner} has to be a MessageFilterConfig, such as MessageFilterConfig(per_source="
                f'[PerSourceFilter(source="user", position="last", count=1)]), not {filter!r}.'
            )
        super().__init__(name, wrapped_agent, f"{wrapped_agent.description} (with message filtering)")
        self._filter = filter

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Let the inner agent answer the messages that the filter selects."""
        return await ask_agent(self._wrapped, select_messages(messages, self._filter), cancellation_token)

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """As `on_messages`, with what the inner agent shows before its answer."""
        selected = select_messages(messages, self._filter)
        async with aclosing(ask_agent_stream(self._wrapped, selected, cancellation_token)) as items:
            async for item in items:
                yield item


def select_messages(messages: Sequence[BaseChatMessage], by: MessageFilterConfig) -> Sequence[BaseChatMessage]:
    """The messages that the filters select, in the order of the filters."""
    selected = [message for each in by.per_source for message in _of_source(messages, each)]
    return list({id(message): message for message in selected}.values())  # one that two filters select is given once


def _of_source(messages: Sequence[BaseChatMessage], by: PerSourceFilter) -> Sequence[BaseChatMessage]:
    found = [message for message in messages if message.source == by.source]
    if by.position is None or by.count is None:
        return found
    return found[: by.count] if by.position == "first" else found[max(0, len(found) - by.count) :]
