"""Decorators that declare the subscriptions of an agent class."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, overload

from symposia.core._base_agent import BaseAgent, subscription_factory
from symposia.core._contexts import SubscriptionInstantiationContext
from symposia.core._subscription import DefaultSubscription, TypeSubscription

AgentT = TypeVar("AgentT", bound=BaseAgent)


@overload
def default_subscription(cls: type[AgentT]) -> type[AgentT]: ...
@overload
def default_subscription(cls: None = None) -> Callable[[type[AgentT]], type[AgentT]]: ...
def default_subscription(
    cls: type[AgentT] | None = None,
) -> type[AgentT] | Callable[[type[AgentT]], type[AgentT]]:
    """Subscribe the agents of a class to the default topic: ``@default_subscription``, with or without ``()``."""
    declare = subscription_factory(lambda: [DefaultSubscription()])
    return declare if cls is None else declare(cls)


def type_subscription(topic_type: str) -> Callable[[type[AgentT]], type[AgentT]]:
    """Subscribe the agents of a class to one topic type."""
    return subscription_factory(lambda: [TypeSubscription(topic_type, SubscriptionInstantiationContext.agent_type())])
