"""An object that stands for one agent of a runtime."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from symposia.core._agent_id import AgentId
from symposia.core._agent_runtime import AgentMetadata, AgentRuntime
from symposia.core._cancellation_token import CancellationToken


class AgentProxy:
    """One agent of a runtime as an object, wherever it lives.

    Args:
        agent: The agent's id.
        runtime: The runtime that reaches it.
    """

    def __init__(self, agent: AgentId, runtime: AgentRuntime) -> None:
        self._agent = agent
        self._runtime = runtime

    @property
    def id(self) -> AgentId:
        """The agent's id."""
        return self._agent

    @property
    def metadata(self) -> Awaitable[AgentMetadata]:
        """The metadata of the agent."""
        return self._runtime.agent_metadata(self._agent)

    async def send_message(
        self,
        message: Any,
        *,
        sender: AgentId,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Send the agent a message and wait for its answer: see `AgentRuntime.send_message`."""
        return await self._runtime.send_message(
            message,
            self._agent,
            sender=sender,
            cancellation_token=cancellation_token,
            message_id=message_id,
            timeout=timeout,
        )

    async def save_state(self) -> Mapping[str, Any]:
        """The agent's state."""
        return await self._runtime.agent_save_state(self._agent)

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Give the agent its state back."""
        await self._runtime.agent_load_state(self._agent, state)
