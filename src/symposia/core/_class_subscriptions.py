"""Decorators that declare the subscriptions of an agent class."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, overload

from symposia.core._base_agent import BaseAgent
from symposia.core._contexts import SubscriptionInstantiationContext
from symposia.core._subscription import DefaultSubscription, TypeSubscription, UnboundSubscription

AgentT = TypeVar("AgentT", bound=BaseAgent)


@overload
def default_subscription(cls: type[AgentT]) -> type[AgentT]: ...
@overload
def default_subscription(cls: None = None) -> Callable[[type[AgentT]], type[AgentT]]: ...
def default_subscription(
    cls: type[AgentT] | None = None,
) -> type[AgentT] | Callable[[type[AgentT]], type[AgentT]]:
    """Subscribe the agents of a class to the default topic: ``@default_subscription``, with or without ``()``."""
    declare = _subscription_factory(lambda: [DefaultSubscription()])
    return declare if cls is None else declare(cls)


def type_subscription(topic_type: str) -> Callable[[type[AgentT]], type[AgentT]]:
    """Subscribe the agents of a class to one topic type."""
    return _subscription_factory(lambda: [TypeSubscription(topic_type, SubscriptionInstantiationContext.agent_type())])


def _subscription_factory(make: UnboundSubscription) -> Callable[[type[AgentT]], type[AgentT]]:
    """A class decorator that declares subscriptions."""

    def declare(cls: type[AgentT]) -> type[AgentT]:
        cls._class_subscriptions = (*cls._class_subscriptions, make)  # pyright: ignore[reportPrivateUsage] - the other half
        return cls

    return declare
