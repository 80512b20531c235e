from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from symposia.core._agent_id import AgentId
from symposia.core._agent_metadata import AgentMetadata
from symposia.core._message_context import MessageContext

if TYPE_CHECKING:
    from symposia.core._runtime._protocol import AgentRuntime


@runtime_checkable
class Agent(Protocol):
    """What a runtime needs of an agent."""

    @property
    def metadata(self) -> AgentMetadata:
        """What the runtime tells about this agent."""
        ...

    @property
    def id(self) -> AgentId:
        """The agent's name in its runtime."""
        ...

    async def bind_id_and_runtime(self, id: AgentId, runtime: AgentRuntime) -> None:  # noqa: A002 - AutoGen's name
        """Take a name in a runtime. Binding again to the same is allowed.

        Raises:
            RuntimeError: The agent is already bound to another.
        """
        ...

    def on_message(self, message: Any, ctx: MessageContext) -> Coroutine[Any, Any, Any]:
        """Handle one message.

        Returns:
            The answer, if the sender waits for one.

        Raises:
            CantHandleException: The agent does not take such messages.
        """
        ...

    async def save_state(self) -> Mapping[str, Any]:
        """What `load_state` needs to make another instance like this one: JSON values only."""
        ...

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Become like the instance that saved `state`."""
        ...

    async def close(self) -> None:
        """Let go of what the agent holds. No message comes after."""
        ...
