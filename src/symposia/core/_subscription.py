"""Subscriptions, which map topics to agents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias, runtime_checkable
from uuid import uuid4

from symposia.core._agent_id import AgentId, AgentType, type_name
from symposia.core._contexts import SubscriptionInstantiationContext
from symposia.core._topic import DEFAULT, TopicId
from symposia.core.exceptions import CantHandleException


@runtime_checkable
class Subscription(Protocol):
    """Maps the topics that it matches to agents. Both answers must depend on the topic's id alone: they are cached."""

    @property
    def id(self) -> str:
        """Unique within a runtime; `AgentRuntime.remove_subscription` takes it."""
        ...

    def is_match(self, topic_id: TopicId) -> bool:
        """Whether messages published to this topic are delivered."""
        ...

    def map_to_agent(self, topic_id: TopicId) -> AgentId:
        """The agent that receives the messages of a matching topic.

        Raises:
            CantHandleException: The topic does not match.
        """
        ...


UnboundSubscription: TypeAlias = Callable[[], "list[Subscription] | Awaitable[list[Subscription]]"]
"""Makes the subscriptions of an agent class, once its agent type is known (`SubscriptionInstantiationContext`)."""


class _TopicSubscription:
    """The common base of the two built-in subscriptions: one pattern, one agent type, the topic's source as the key."""

    def __init__(self, pattern: str, agent_type: str | AgentType, id_: str | None) -> None:
        self._pattern = pattern
        self._agent_type = type_name(agent_type)
        self._id = str(uuid4()) if id_ is None else id_

    @property
    def id(self) -> str:
        """Unique within a runtime."""
        return self._id

    @property
    def agent_type(self) -> str:
        """The type of the agents that receive."""
        return self._agent_type

    def is_match(self, topic_id: TopicId) -> bool:
        """Whether messages published to this topic are delivered."""
        raise NotImplementedError

    def map_to_agent(self, topic_id: TopicId) -> AgentId:
        """The agent of `agent_type` whose key is the topic's source.

        Raises:
            CantHandleException: The topic does not match.
        """
        if not self.is_match(topic_id):
            raise CantHandleException(f"Topic {topic_id} does not match {self!r}.")
        return AgentId(self._agent_type, topic_id.source)

    def _says_the_same(self, other: _TopicSubscription) -> bool:
        return self._id == other._id or (self._pattern, self._agent_type) == (other._pattern, other._agent_type)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._pattern!r}, {self._agent_type!r})"


class TypeSubscription(_TopicSubscription):
    """Delivers a topic type to the agent of one type whose key is the topic's source.

    Args:
        topic_type: The exact topic type.
        agent_type: The type of the agents that receive.
        id: Unique within a runtime; made up when not given.
    """

    def __init__(self, topic_type: str, agent_type: str | AgentType, id: str | None = None) -> None:  # noqa: A002 - AutoGen's name
        super().__init__(topic_type, agent_type, id)

    @property
    def topic_type(self) -> str:
        """The exact topic type."""
        return self._pattern

    def is_match(self, topic_id: TopicId) -> bool:
        """Whether the topic is of exactly this type."""
        return topic_id.type == self._pattern

    def __eq__(self, other: object) -> bool:
        """Equal when the ids are, or when both say the same: a runtime takes neither twice."""
        return isinstance(other, TypeSubscription) and self._says_the_same(other)

    __hash__ = None  # type: ignore[assignment]  # equality by either of two parts has no consistent hash


class TypePrefixSubscription(_TopicSubscription):
    """Delivers every topic type that starts with a prefix to the agent of one type whose key is the topic's source.

    Args:
        topic_type_prefix: What the topic type starts with.
        agent_type: The type of the agents that receive.
        id: Unique within a runtime; made up when not given.
    """

    def __init__(self, topic_type_prefix: str, agent_type: str | AgentType, id: str | None = None) -> None:  # noqa: A002 - AutoGen's name
        super().__init__(topic_type_prefix, agent_type, id)

    @property
    def topic_type_prefix(self) -> str:
        """The prefix of the topic types."""
        return self._pattern

    def is_match(self, topic_id: TopicId) -> bool:
        """Whether the topic's type starts with the prefix."""
        return topic_id.type.startswith(self._pattern)

    def __eq__(self, other: object) -> bool:
        """Equal when the ids are, or when both say the same: a runtime takes neither twice."""
        return isinstance(other, TypePrefixSubscription) and self._says_the_same(other)

    __hash__ = None  # type: ignore[assignment]  # equality by either of two parts has no consistent hash


class DefaultSubscription(TypeSubscription):
    """Subscribes to the default topic; `DefaultTopicId` publishes to it.

    Args:
        topic_type: The topic's type.
        agent_type: The type of the agents that receive. May be left out where an agent type is being registered.

    Raises:
        CantHandleException: `agent_type` is left out elsewhere.
    """

    def __init__(self, topic_type: str = DEFAULT, agent_type: str | AgentType | None = None) -> None:
        super().__init__(topic_type, _registering_type() if agent_type is None else agent_type)


def _registering_type() -> AgentType:
    try:
        return SubscriptionInstantiationContext.agent_type()
    except RuntimeError as error:
        raise CantHandleException(
            "DefaultSubscription needs agent_type unless it is made while an agent type is being registered."
        ) from error
