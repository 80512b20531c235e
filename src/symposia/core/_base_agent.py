"""The base class of agents: messages, subscriptions, state and registration."""

from __future__ import annotations

import inspect
import warnings
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from types import CoroutineType
from typing import Any, ClassVar, Self

from symposia.core._agent_id import AgentId, AgentType
from symposia.core._agent_runtime import Agent, AgentMetadata, AgentRuntime
from symposia.core._cancellation_token import CancellationToken
from symposia.core._contexts import SubscriptionInstantiationContext
from symposia.core._instantiation import AgentInstantiationContext
from symposia.core._message_context import MessageContext
from symposia.core._serialization import try_get_known_serializers_for_type
from symposia.core._subscription import Subscription, TypePrefixSubscription, UnboundSubscription
from symposia.core._topic import TopicId
from symposia.core.exceptions import HandlerSignatureError, RegistrationError


class BaseAgent(ABC, Agent):
    """An agent that handles messages in one method, `on_message_impl`.

    Args:
        description: What the agent is for, in words that a model can read.

    Attributes:
        concurrent: Whether several messages may be handled at the same time. Override in a class whose handlers
            share no state.
    """

    concurrent: ClassVar[bool] = False
    _class_subscriptions: ClassVar[tuple[UnboundSubscription, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._class_subscriptions = ()  # subscriptions belong to the class that declares them, not to those derived

    def __init__(self, description: str) -> None:
        self._description = description
        self._id: AgentId | None = None
        self._runtime: AgentRuntime | None = None
        if AgentInstantiationContext.is_in_factory_call():
            self._runtime = AgentInstantiationContext.current_runtime()
            self._id = AgentInstantiationContext.current_agent_id()

    @property
    def metadata(self) -> AgentMetadata:
        """The agent's type, key and description."""
        return AgentMetadata(type=self.id.type, key=self.id.key, description=self._description)

    @property
    def id(self) -> AgentId:
        """The agent's name in its runtime.

        Raises:
            RuntimeError: The agent is in no runtime yet.
        """
        _require_initialised(self)
        if self._id is None:
            raise RuntimeError(f"{type(self).__name__} is not bound to a runtime: register it first.")
        return self._id

    @property
    def type(self) -> str:
        """The agent's type."""
        return self.id.type

    @property
    def runtime(self) -> AgentRuntime:
        """The runtime that the agent lives in.

        Raises:
            RuntimeError: The agent is in no runtime yet.
        """
        _require_initialised(self)
        if self._runtime is None:
            raise RuntimeError(f"{type(self).__name__} is not bound to a runtime: register it first.")
        return self._runtime

    async def bind_id_and_runtime(self, id: AgentId, runtime: AgentRuntime) -> None:  # noqa: A002 - AutoGen's name
        """Take a name in a runtime. Binding again to the same is allowed.

        Raises:
            RuntimeError: The agent is already bound to another runtime, or has another name.
            RegistrationError: Its constructor does not call that of its base class.
        """
        _require_initialised(self)
        # Binding twice is the rule: the constructor takes both from the factory's context, then the runtime binds.
        if self._runtime not in (None, runtime):
            raise RuntimeError(
                f"Agent {self._id} is already bound to another runtime. Make one instance for each runtime, or "
                "register a factory."
            )
        if self._id not in (None, id):
            raise RuntimeError(
                f"Agent is already bound as {self._id}, so it cannot become {id}. Make one instance for each id, or "
                "register a factory."
            )
        self._id = id
        self._runtime = runtime

    def on_message(self, message: Any, ctx: MessageContext) -> Coroutine[Any, Any, Any]:
        """Handle one message. Called by runtimes.

        Raises:
            HandlerSignatureError: `on_message_impl` is no coroutine function.
        """
        handling = self.on_message_impl(message, ctx)
        if type(handling) is not CoroutineType:  # nearly always it is, and `isinstance` takes longer
            _require_coroutine(self, handling)
        return handling

    @abstractmethod
    async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any:
        """Handle one message. Implemented by subclasses.

        Returns:
            The answer, if the sender waits for one.

        Raises:
            CantHandleException: The agent does not take such messages.
        """

    def send_message(
        self,
        message: Any,
        recipient: AgentId,
        *,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
        timeout: float | None = None,
    ) -> Coroutine[Any, Any, Any]:
        """Send a message to one agent and wait for its answer: see `AgentRuntime.send_message`."""
        return self.runtime.send_message(
            message,
            recipient,
            sender=self._id,
            cancellation_token=cancellation_token,
            message_id=message_id,
            timeout=timeout,
        )

    def publish_message(
        self, message: Any, topic_id: TopicId, *, cancellation_token: CancellationToken | None = None
    ) -> Coroutine[Any, Any, None]:
        """Give a message to every subscribed agent but this one: see `AgentRuntime.publish_message`."""
        return self.runtime.publish_message(message, topic_id, sender=self._id, cancellation_token=cancellation_token)

    async def save_state(self) -> Mapping[str, Any]:
        """The state from which `load_state` makes an equal instance: JSON values only. Override both."""
        # A warning, as in AutoGen: with an error, one agent without state would keep a runtime's whole state from
        # saving.
        warnings.warn(f"{type(self).__name__} does not implement save_state", stacklevel=2)
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None:  # noqa: ARG002 - for subclasses to use
        """Become like the instance that saved `state`. Override together with `save_state`."""
        warnings.warn(f"{type(self).__name__} does not implement load_state", stacklevel=2)

    async def close(self) -> None:
        """Release the agent's resources; none, unless overridden."""

    @classmethod
    async def register(
        cls,
        runtime: AgentRuntime,
        type: str,  # noqa: A002 - AutoGen's name
        factory: Callable[[], Self | Awaitable[Self]],
        *,
        skip_class_subscriptions: bool = False,
        skip_direct_message_subscription: bool = False,
    ) -> AgentType:
        """Let a runtime make agents of this class.

        Args:
            runtime: The runtime.
            type: The type of the agents' ids.
            factory: Called without arguments for each new agent; may be a coroutine function.
            skip_class_subscriptions: Leave out what decorators such as `default_subscription` declare.
            skip_direct_message_subscription: Leave out the subscription to topic types starting with ``type:``,
                through which this type is addressed by topic.

        Raises:
            RegistrationError: The type is taken or holds other characters than an `AgentId` may, or `factory` is an
                agent in the place of a function that makes one.
        """
        agent_type = AgentType(type)
        # The factory first: what is published to a subscribed type without a factory is a dead letter.
        await runtime.register_factory(agent_type, factory, expected_class=cls)
        add_serializers(runtime, cls._message_types())
        await cls._subscribe(
            runtime,
            agent_type,
            () if skip_class_subscriptions else cls._class_subscriptions,
            direct=not skip_direct_message_subscription,
        )
        return agent_type

    async def register_instance(
        self,
        runtime: AgentRuntime,
        agent_id: AgentId,
        *,
        skip_class_subscriptions: bool = True,
        skip_direct_message_subscription: bool = False,
    ) -> AgentId:
        """Put this very agent into a runtime.

        Args:
            runtime: The runtime.
            agent_id: The agent's name in it.
            skip_class_subscriptions: Leave out what decorators such as `default_subscription` declare.
            skip_direct_message_subscription: Leave out the subscription to topic types starting with ``type:``.

        Raises:
            RegistrationError: The id is taken, or its type has a factory.
        """
        registered = await runtime.register_agent_instance(self, agent_id)
        add_serializers(runtime, self._message_types())
        await self._subscribe(
            runtime,
            AgentType(agent_id.type),
            () if skip_class_subscriptions else self._class_subscriptions,
            direct=not skip_direct_message_subscription,
        )
        return registered

    @classmethod
    def _message_types(cls) -> Collection[Any]:
        """The types of the messages that agents of this class take, as far as they are known.

        Registering an agent teaches its runtime how to write and read them, should they come from another process.
        """
        return ()

    @classmethod
    async def _subscribe(
        cls, runtime: AgentRuntime, agent_type: AgentType, unbound: Sequence[UnboundSubscription], *, direct: bool
    ) -> None:
        subscriptions = [one for make in unbound for one in await bind_subscriptions(make, agent_type)]
        for subscription in subscriptions:
            await runtime.add_subscription(subscription)
        if direct:
            await _subscribe_directly(runtime, agent_type)


def _require_initialised(agent: BaseAgent) -> None:
    if not hasattr(agent, "_runtime"):
        name = type(agent).__name__
        raise RegistrationError(
            f"{name}.__init__ does not call the constructor of its base class: begin it with "
            f'super().__init__("what the agent is for").'
        )


def _require_coroutine(agent: BaseAgent, handling: object) -> None:
    if not isinstance(handling, Coroutine):
        raise HandlerSignatureError(
            f"{type(agent).__name__}.on_message_impl gave a value of type {type(handling).__name__} instead of a "
            "coroutine. Write it as: async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any, "
            "without yield."
        )


def add_serializers(runtime: AgentRuntime, message_types: Iterable[Any]) -> None:
    """Teach a runtime how to write and read messages of these types, those of them that have a known way."""
    runtime.add_message_serializer([one for cls in message_types for one in try_get_known_serializers_for_type(cls)])


async def bind_subscriptions(make: UnboundSubscription, agent_type: AgentType) -> list[Subscription]:
    """Make a class's subscriptions for one agent type."""
    with SubscriptionInstantiationContext.populate_context(agent_type):
        made = make()
        return await made if inspect.isawaitable(made) else made


async def _subscribe_directly(runtime: AgentRuntime, agent_type: AgentType) -> None:
    direct = TypePrefixSubscription(f"{agent_type.type}:", agent_type)
    with suppress(RegistrationError):  # another instance of the same type has brought it
        await runtime.add_subscription(direct)
