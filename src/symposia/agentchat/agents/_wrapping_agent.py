"""The base class of agents around another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import override

from symposia.agentchat import base
from symposia.agentchat.agents._base_chat_agent import BaseChatAgent
from symposia.agentchat.base import ChatAgent
from symposia.agentchat.messages import MessageType
from symposia.core import CancellationToken
from symposia.core.changes import Change, save_changes
from symposia.core.exceptions import ArgumentTypeError


class WrappingAgent(BaseChatAgent):
    """An agent around another one. It forwards everything but the turns to the inner agent.

    Args:
        name: The name of this agent. The inner one may have the same name, so that other agents know it by one.
        wrapped_agent: The inner agent.
        description: Describes the agent to the speaker selection.

    Raises:
        ArgumentTypeError: `wrapped_agent` is no agent.
    """

    def __init__(self, name: str, wrapped_agent: ChatAgent, description: str) -> None:
        super().__init__(name, description)
        self._wrapped = wrapped_agent

    @property
    def produced_message_types(self) -> Sequence[MessageType]:
        """The types of the inner agent."""
        return self._wrapped.produced_message_types

    @override
    def learn_message_types(self, message_types: Sequence[MessageType]) -> None:
        """Pass them to the inner agent."""
        self._wrapped.learn_message_types(message_types)

    def check_outline(self) -> base.AgentOutline:
        """The outline of the inner agent."""
        return self._wrapped.check_outline()

    async def on_run_start(self) -> None:
        """Let the inner agent prepare."""
        await self._wrapped.on_run_start()

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Reset the inner agent."""
        await self._wrapped.on_reset(cancellation_token)

    async def on_pause(self, cancellation_token: CancellationToken) -> None:
        """Pause the inner agent."""
        await self._wrapped.on_pause(cancellation_token)

    async def on_resume(self, cancellation_token: CancellationToken) -> None:
        """Resume the inner agent."""
        await self._wrapped.on_resume(cancellation_token)

    async def save_state(self) -> Mapping[str, Any]:  # Any: AutoGen's signature; the values are JSON
        """The state of the inner agent. This one has none."""
        return await self._wrapped.save_state()

    async def save_changes(self, since: object | None) -> tuple[Change | None, object]:
        """The change of the state since a mark; see `symposia.core.changes.IncrementalState`."""
        return await save_changes(self._wrapped, since)

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Give the inner agent its state back."""
        await self._wrapped.load_state(state)

    async def close(self) -> None:
        """Close the inner agent."""
        await self._wrapped.close()


def check_wrapped_agent(owner: str, given: object) -> None:
    """Raise an error for an object that is no agent.

    Raises:
        ArgumentTypeError: It is none.
    """
    if not isinstance(given, ChatAgent):
        raise ArgumentTypeError(f"{owner} has to be an agent, not {given!r}.")
