"""The base class of runtimes whose agents live in this process."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import uuid4

from symposia.core._agent_id import AgentId, AgentType
from symposia.core._agent_runtime import Agent, AgentMetadata, AgentRuntime
from symposia.core._cancellation_token import CancellationToken
from symposia.core._intervention import InterventionHandler
from symposia.core._logging import ROOT_LOGGER_NAME
from symposia.core._message_context import MessageContext
from symposia.core._serialization import MessageSerializer, SerializationRegistry
from symposia.core._subscription import Subscription
from symposia.core._topic import TopicId
from symposia.core.exceptions import ArgumentTypeError, UndeliverableException
from symposia.core.runtimes._agent_table import AgentKind, AgentTable, MailboxT, check_instance
from symposia.core.runtimes._dead_letters import DeadLetter, DeadLetters, Failures
from symposia.core.runtimes._interventions import Interventions
from symposia.core.runtimes._subscriptions import Subscriptions

if TYPE_CHECKING:
    from types import CoroutineType
else:  # that of `types` cannot be subscripted before Python 3.13, so annotations with it could not be evaluated
    from collections.abc import Coroutine as CoroutineType

T = TypeVar("T")
AgentT = TypeVar("AgentT", bound=Agent)
State = Mapping[str, Any]  # Any: the fields of AutoGen's states, which its signatures call so

logger = logging.getLogger(ROOT_LOGGER_NAME)


class DeliveredContext(MessageContext):
    """A `MessageContext` that makes its token and its id on first access: most handlers never need them.

    Attributes:
        token: The sender's token, if it gave one, or the one that was made.
        is_observed: Whether the message is traced or logged.
    """

    is_observed = False

    def __init__(
        self,
        sender: AgentId | None,
        topic_id: TopicId | None,
        is_rpc: bool,
        cancellation_token: CancellationToken | None,
        message_id: str | None,
    ) -> None:
        self.sender = sender
        self.topic_id = topic_id
        self.is_rpc = is_rpc
        self.token = cancellation_token
        self._message_id = message_id

    @property
    def cancellation_token(self) -> CancellationToken:  # type: ignore[override]  # a field of the base class
        if self.token is None:
            self.token = CancellationToken()
        return self.token

    @property
    def message_id(self) -> str:  # type: ignore[override]  # a field of the base class
        if self._message_id is None:
            self._message_id = str(uuid4())
        return self._message_id


class BaseAgentRuntime(AgentRuntime, ABC, Generic[MailboxT]):
    """A runtime without a way to deliver messages: registration, checks, recipients, and states of agents.

    A subclass delivers: it implements `_send`, `_publish`, `_in_turns` and `_forget`, and usually `start` and `stop`.
    It chooses what it keeps for each agent, its mailbox. `symposia.testing.SerializingRuntime` is an example. For
    subclasses there are:

    - ``_agents``, an `AgentTable`: the agent types, and a mailbox for each agent;
    - ``_subscriptions``, and ``_recipients``, which finds the mailboxes of all that a publication goes to;
    - ``_interventions``: the intervention handlers as one; None without any;
    - ``_dead_letters`` and ``_failures``: the reports to the runtime's owner;
    - ``_serialization``: how messages become bytes.

    Args:
        new_mailbox: Makes the mailbox of an agent, given its id and its type.
        intervention_handlers: Asked in order about every message; each may change or drop it.
        ignore_unhandled_exceptions: Only log what publish handlers raise.
        on_dead_letter: Called with each message that no agent takes; else they are logged at level INFO.
    """

    def __init__(
        self,
        new_mailbox: Callable[[AgentId, AgentKind], MailboxT],
        *,
        intervention_handlers: Sequence[InterventionHandler] | None = None,
        ignore_unhandled_exceptions: bool = False,
        on_dead_letter: Callable[[DeadLetter], None] | None = None,
    ) -> None:
        self._agents = AgentTable(new_mailbox)
        self._subscriptions = Subscriptions()
        self._interventions = Interventions(intervention_handlers) if intervention_handlers else None
        self._failures = Failures(ignored=ignore_unhandled_exceptions)
        self._dead_letters = DeadLetters(on_dead_letter, self._failures)
        self._serialization = SerializationRegistry()

    # What subclasses implement

    @abstractmethod
    def _send(
        self, message: object, recipient: AgentId, ctx: DeliveredContext, timeout: float | None
    ) -> CoroutineType[Any, Any, object]:
        """Deliver a request, and return its answer: see `AgentRuntime.send_message`."""

    @abstractmethod
    def _publish(self, message: object, topic_id: TopicId, ctx: DeliveredContext) -> CoroutineType[Any, Any, None]:
        """Accept a publication: see `AgentRuntime.publish_message`."""

    @abstractmethod
    async def _in_turns(
        self, agent_ids: Sequence[AgentId], function: Callable[[Agent], Coroutine[Any, Any, T]]
    ) -> list[T]:
        """Call a function with each of some agents, between two of its messages, and make agents that are not made yet.

        All get in line now, so that what is saved of several agents belongs together.

        Raises:
            LookupError: An agent's type is not registered.
        """

    @abstractmethod
    def _forget(self, mailbox: MailboxT) -> None:
        """Take back the publications that wait in the mailbox of an agent whose type was removed."""

    # Messages

    def send_message(
        self,
        message: Any,
        recipient: AgentId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
        timeout: float | None = None,
    ) -> CoroutineType[Any, Any, Any]:
        # A plain function that returns a coroutine, as `publish_message`: one coroutine less for each message.
        if not isinstance(recipient, AgentId):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise ArgumentTypeError(f"A recipient is an AgentId, such as AgentId('type', 'key'), not {recipient!r}.")
        ctx = DeliveredContext(sender, None, True, cancellation_token, message_id)
        return self._send(message, recipient, ctx, timeout)

    def publish_message(
        self,
        message: Any,
        topic_id: TopicId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
    ) -> CoroutineType[Any, Any, None]:
        if not isinstance(topic_id, TopicId):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise ArgumentTypeError(f"A topic is a TopicId, such as TopicId('type', 'source'), not {topic_id!r}.")
        return self._publish(
            message, topic_id, DeliveredContext(sender, topic_id, False, cancellation_token, message_id)
        )

    def _undeliverable(self, message: object, recipient: AgentId, ctx: MessageContext) -> UndeliverableException:
        """Report a request to an agent of an unknown type as a dead letter, and return the error for its sender."""
        reason = f"agent type {recipient.type!r} is not registered"
        self._dead_letters.report(message, ctx, recipient, reason)
        return UndeliverableException(
            f"{type(message).__name__} for agent {recipient} cannot be delivered: {reason}. "
            f"{self._agents.known_types()}"
        )

    def _recipients(self, message: object, topic: TopicId, ctx: MessageContext) -> list[MailboxT]:
        """The mailboxes of all recipients of a publication: each once, and not the sender's.

        What a subscription or a hook of the program raises is added to the failures: it keeps the message from no other
        agent.
        """
        found: dict[MailboxT, None] = {}
        subscribed = False
        for agent_type, key in self._subscribers(topic):
            subscribed = True
            mailbox = self._agents.find_by(agent_type, key)
            if mailbox is not None:
                found[mailbox] = None
            else:
                reason = f"its agent type {agent_type!r} is subscribed but not registered"
                self._dead_letters.report(message, ctx, AgentId(agent_type, key), reason)
        if not subscribed:
            self._dead_letters.report(message, ctx, None, "no agent is subscribed to its topic")
        if ctx.sender is None:  # comparing ids runs Python code, for each recipient
            return list(found)
        return [mailbox for mailbox in found if mailbox.id != ctx.sender]

    def _subscribers(self, topic: TopicId) -> Iterator[tuple[str, str]]:
        for agent_type in self._subscriptions.agent_types(topic.type):
            yield agent_type, topic.source
        for agent in self._subscriptions.custom_agents(topic, self._subscription_failed):
            yield agent.type, agent.key

    def _subscription_failed(self, subscription: Subscription, topic: TopicId, error: Exception) -> None:
        self._failures.add(error)
        logger.error("Subscription %s failed on topic %s", subscription.id, topic, exc_info=error)

    # Registration

    async def register_factory(
        self,
        type: str | AgentType,  # noqa: A002 - AutoGen's name
        agent_factory: Callable[[], AgentT | Awaitable[AgentT]],
        *,
        expected_class: type[AgentT] | None = None,
    ) -> AgentType:
        agent_type = type if isinstance(type, AgentType) else AgentType(type)
        self._agents.add_factory(agent_type.type, agent_factory, expected_class)
        return agent_type

    async def register_agent_instance(self, agent_instance: Agent, agent_id: AgentId) -> AgentId:
        check_instance(agent_instance, "register_agent_instance was given")
        self._agents.check_free(agent_id)  # before the agent is bound: it can be bound once only
        await agent_instance.bind_id_and_runtime(agent_id, self)
        self._agents.add_instance(agent_instance, agent_id)
        return agent_id

    async def remove_agent_type(self, type: str | AgentType) -> None:  # noqa: A002 - AutoGen's name
        for mailbox in self._agents.remove(type.type if isinstance(type, AgentType) else type):
            self._forget(mailbox)

    async def add_subscription(self, subscription: Subscription) -> None:
        self._subscriptions.add(subscription)

    async def remove_subscription(self, id: str) -> None:  # noqa: A002 - AutoGen's name
        self._subscriptions.remove(id)

    def add_message_serializer(self, serializer: MessageSerializer[Any] | Sequence[MessageSerializer[Any]]) -> None:
        self._serialization.add_serializer(serializer)

    # Agents and their states

    async def get(
        self, id_or_type: AgentId | AgentType | str, /, key: str = "default", *, lazy: bool = True
    ) -> AgentId:
        agent_id = id_or_type if isinstance(id_or_type, AgentId) else AgentId(id_or_type, key)
        if not lazy:
            await self._agent(agent_id)
        return agent_id

    async def try_get_underlying_agent_instance(self, id: AgentId, type: type[AgentT] = Agent) -> AgentT:  # noqa: A002 - AutoGen's names
        agent = await self._agent(id)
        if not isinstance(agent, type):
            raise TypeError(f"Agent {id} is a {agent.__class__.__name__}, not a {type.__name__}.")
        return agent

    async def agent_metadata(self, agent: AgentId) -> AgentMetadata:
        return (await self._agent(agent)).metadata

    async def agent_save_state(self, agent: AgentId) -> State:
        return (await self._in_turns([agent], _save_state))[0]

    async def agent_load_state(self, agent: AgentId, state: State) -> None:
        await self._in_turns([agent], lambda one: one.load_state(state))

    async def save_state(self) -> State:
        made = [mailbox.id for mailbox in self._agents.mailboxes() if mailbox.agent is not None]
        states = await self._in_turns(made, _save_state)
        return {str(agent_id): dict(state) for agent_id, state in zip(made, states, strict=True)}

    async def load_state(self, state: State) -> None:
        every = {AgentId.from_str(text): agent_state for text, agent_state in state.items()}
        states = {agent_id: agent_state for agent_id, agent_state in every.items() if agent_id.type in self._agents}
        await self._in_turns(list(states), lambda agent: agent.load_state(states[agent.id]))

    async def _agent(self, agent_id: AgentId) -> Agent:
        """An agent's object, made now if need be.

        Raises:
            LookupError: The agent's type is not registered.
        """
        return (await self._in_turns([agent_id], _itself))[0]


def _save_state(agent: Agent) -> Coroutine[Any, Any, State]:
    return agent.save_state()


async def _itself(agent: Agent) -> Agent:
    return agent
