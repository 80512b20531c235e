"""The contract of an agent that can be in a team, and its answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pydantic import BaseModel

from symposia._lazy import lazy_module
from symposia.agentchat.base._task import TaskRunner
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, MessageType
from symposia.core import CancellationToken, ComponentBase
from symposia.core.changes import SavedState

if TYPE_CHECKING:
    from symposia.agentchat.base import _outlines as outlines
else:
    outlines = lazy_module("symposia.agentchat.base._outlines")  # used by `team.check()` only


@dataclass(kw_only=True)
class Response:
    """An answer of an agent.

    Attributes:
        chat_message: The answer itself.
        inner_messages: The messages and events before the answer, in order. Observers see them, other agents do not.
    """

    chat_message: BaseChatMessage
    inner_messages: Sequence[BaseAgentEvent | BaseChatMessage] | None = None


class ChatAgent(TaskRunner, ComponentBase, ABC):
    """What a team needs of an agent. Subclass `BaseChatAgent`, which does half of it.

    An agent remembers: it is given the messages that are new since its last turn, never the whole conversation.
    """

    component_type = "agent"

    @property
    @abstractmethod
    def name(self) -> str:
        """Unique within a team; a Python identifier."""

    @property
    @abstractmethod
    def description(self) -> str:
        """Describes the agent to the selection of a speaker."""

    @property
    @abstractmethod
    def produced_message_types(self) -> Sequence[MessageType]:
        """The classes of the messages in its responses, and of further messages that it shows."""

    def learn_message_types(self, message_types: Sequence[MessageType]) -> None:
        """Register classes of messages that this agent may receive, beyond the built-in ones. By default nothing.

        An agent that is made of a team passes them on to the team.
        """

    def check_outline(self) -> outlines.AgentOutline:
        """The outline for `team.check()`, made without asking a model; by default an empty one."""
        return outlines.AgentOutline()

    @abstractmethod
    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Answer the messages that are new since the last turn."""

    @abstractmethod
    def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """As `on_messages`, and yield messages and events; the last item is the response."""

    @abstractmethod
    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Forget everything: as if just made."""

    async def on_run_start(self) -> None:
        """A run of its team begins, in which it may be given turns. Nothing by default.

        Begin here what a turn would otherwise wait for, and return at once: the run waits for this method. It is called
        in each run, before the first turn.
        """

    @abstractmethod
    async def on_pause(self, cancellation_token: CancellationToken) -> None:
        """Its team is paused, perhaps in the middle of this agent's turn."""

    @abstractmethod
    async def on_resume(self, cancellation_token: CancellationToken) -> None:
        """Its team continues."""

    @abstractmethod
    async def save_state(self) -> SavedState:
        """What `load_state` needs to continue from here in another process; JSON-ready."""

    @abstractmethod
    async def load_state(self, state: SavedState) -> None:
        """Continue from a saved state."""

    @abstractmethod
    async def close(self) -> None:
        """Release the agent's resources."""


@runtime_checkable
class AnswersInSchema(Protocol):
    """An agent that can be asked for a single answer in a schema, regardless of its usual output."""

    def answer_in_schema(
        self,
        messages: Sequence[BaseChatMessage],
        content_type: type[BaseModel],
        cancellation_token: CancellationToken,
        *,
        retries: int = 0,
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Take one turn, and yield its events; the last item is a response with a `StructuredMessage`.

        Args:
            messages: New since the last turn.
            content_type: The class of the content.
            cancellation_token: Ends the turn.
            retries: How often an answer that does not fit is sent back.

        Raises:
            ModelAnswerError: No answer fits. Each is an `OutputRejectedEvent` before.
        """
        ...
