"""The protocols of runtimes and agents. One module, since each of the two refers to the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from typing_extensions import TypedDict

from symposia.core._agent_id import AgentId, AgentType
from symposia.core._cancellation_token import CancellationToken
from symposia.core._message_context import MessageContext
from symposia.core._serialization import MessageSerializer
from symposia.core._subscription import Subscription
from symposia.core._topic import TopicId


class AgentMetadata(TypedDict):
    """The metadata of an agent.

    Attributes:
        type: The agent's type.
        key: Which agent of that type.
        description: What the agent is for, in words that a model can read.
    """

    type: str
    key: str
    description: str


@runtime_checkable
class Agent(Protocol):
    """The interface of an agent for its runtime."""

    @property
    def metadata(self) -> AgentMetadata:
        """The metadata of this agent."""
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
        """The state from which `load_state` makes an equal instance: JSON values only."""
        ...

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Become like the instance that saved `state`."""
        ...

    async def close(self) -> None:
        """Release the agent's resources. No message comes after."""
        ...


T = TypeVar("T", bound=Agent)


@runtime_checkable
class AgentRuntime(Protocol):
    """Where agents live: it makes them, and brings them their messages.

    One agent's messages are handled first in, first out, one at a time, by exactly one instance; a request that comes
    back to an agent along the call chain that it is awaiting runs inside it. Every accepted message is settled exactly
    once: answered, failed, dropped or cancelled.
    """

    async def send_message(
        self,
        message: Any,
        recipient: AgentId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Send a message to one agent and wait for its answer.

        Args:
            message: Any value.
            recipient: Who handles it; made now if this is its first message.
            sender: The agent that sends, None for the world outside.
            cancellation_token: Cancelling it, or the awaiting task, cancels the handler and what it awaits.
            message_id: The message's id; made up when not given.
            timeout: Seconds until an answer is no longer wanted. What the handler asks of others ends with it.

        Returns:
            What the handler returned. Its type is `Any`, as AutoGen has it: an agent's id says nothing about the types
            that the agent answers with, and a narrower type would break programs. Annotate the variable that takes it.

        Raises:
            UndeliverableException: The runtime knows no such agent type.
            MessageDroppedException: An intervention handler dropped the message or its answer.
            DeadlineExceededError: `timeout`, or that of an awaiting caller, has passed.
            DeadlockError: The recipient waits, directly or not, for the sender.
            RuntimeStoppedError: The runtime stopped first.
            asyncio.CancelledError: `cancellation_token` was cancelled.
            Exception: Whatever the handler raised.
        """
        ...

    async def publish_message(
        self,
        message: Any,
        topic_id: TopicId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
    ) -> None:
        """Give a message to every agent that is subscribed to a topic, but not to its sender.

        Returns when the message is accepted, before it is handled. Each agent receives it once, however many of its
        subscriptions match.
        """
        ...

    async def register_factory(
        self,
        type: str | AgentType,  # noqa: A002 - AutoGen's name
        agent_factory: Callable[[], T | Awaitable[T]],
        *,
        expected_class: type[T] | None = None,
    ) -> AgentType:
        """Register a factory for agents of a type.

        Args:
            type: The agents' type; each type is registered once.
            agent_factory: Called at the first message to each key, inside an `AgentInstantiationContext`. May be a
                coroutine function.
            expected_class: Refuse what is not exactly of this class when it is made.

        Raises:
            RegistrationError: The type is taken or no `AgentId` can have it, or `agent_factory` is no function.
        """
        ...

    async def remove_agent_type(self, type: str | AgentType) -> None:  # noqa: A002 - AutoGen's name
        """Forget an agent type, its factory and its agents, which are not closed.

        Messages that its agents are handling are handled to their end. The type can be registered again. Its
        subscriptions stay; see `remove_subscription`.

        Raises:
            LookupError: The runtime knows no such agent type.
        """
        ...

    async def register_agent_instance(self, agent_instance: Agent, agent_id: AgentId) -> AgentId:
        """Give an agent that exists already its place in the runtime.

        Raises:
            RegistrationError: The id is taken, or its type has a factory.
        """
        ...

    async def try_get_underlying_agent_instance(self, id: AgentId, type: type[T] = Agent) -> T:  # noqa: A002 - AutoGen's names
        """The agent's object, made now if need be. Meant for tests: a message is safer.

        Raises:
            LookupError: The runtime knows no such agent type.
            TypeError: The object is not of the class `type`.
            NotAccessibleError: The object lives in another process.
        """
        ...

    async def get(
        self, id_or_type: AgentId | AgentType | str, /, key: str = "default", *, lazy: bool = True
    ) -> AgentId:
        """The id of an agent.

        Args:
            id_or_type: An id, or an agent type to go with `key`.
            key: Which agent of the type.
            lazy: Leave making the agent to its first message.

        Raises:
            LookupError: Not lazy, and the runtime knows no such agent type.
        """
        ...

    async def save_state(self) -> Mapping[str, Any]:
        """The state of every agent that was made, by its id, as JSON values; each is saved between two messages."""
        ...

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Give agents back the state that `save_state` returned, making them if need be. Unknown types are skipped."""
        ...

    async def agent_metadata(self, agent: AgentId) -> AgentMetadata:
        """The metadata of an agent, which is made now if need be.

        Raises:
            LookupError: The runtime knows no such agent type.
        """
        ...

    async def agent_save_state(self, agent: AgentId) -> Mapping[str, Any]:
        """One agent's state, saved between two of its messages: after the one that it is handling.

        Raises:
            LookupError: The runtime knows no such agent type.
        """
        ...

    async def agent_load_state(self, agent: AgentId, state: Mapping[str, Any]) -> None:
        """Give one agent its state back, between two of its messages.

        Raises:
            LookupError: The runtime knows no such agent type.
        """
        ...

    async def add_subscription(self, subscription: Subscription) -> None:
        """Begin to deliver the messages that `subscription` matches.

        Raises:
            RegistrationError: The same subscription is there already.
        """
        ...

    async def remove_subscription(self, id: str) -> None:  # noqa: A002 - AutoGen's name
        """Stop delivering for a subscription.

        Raises:
            RegistrationError: There is none of that id.
        """
        ...

    def add_message_serializer(self, serializer: MessageSerializer[Any] | Sequence[MessageSerializer[Any]]) -> None:
        """Teach the runtime how messages of a type become bytes, should it need to."""
        ...
