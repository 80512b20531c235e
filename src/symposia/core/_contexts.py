"""Access to the present handler's agent, and to the present registration."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import NoReturn, TypeVar

from symposia.core._agent_id import AgentId, AgentType

T = TypeVar("T")
ItemT = TypeVar("ItemT")

handling_agent: ContextVar[AgentId | None] = ContextVar("symposia_handling_agent", default=None)
_subscribing_type: ContextVar[AgentType | None] = ContextVar("symposia_subscribing_type", default=None)


@contextmanager
def variable_set(variable: ContextVar[T | None], value: T) -> Generator[None]:
    """Inside, a context variable has this value."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


async def iterate_with(
    variable: ContextVar[T | None], value: T, items: AsyncGenerator[ItemT, None]
) -> AsyncGenerator[ItemT, None]:
    """The same items, while each of which is computed a context variable has this value.

    Closing the returned generator closes `items`.
    """
    # Set and reset around each step: one `with` around the loop would leak the value to the consumer at every yield,
    # and fail when the consumer closes the generator in another context.
    try:
        while True:
            token = variable.set(value)  # not `variable_set`, which takes longer than the rest of a step
            try:
                item = await anext(items)
            except StopAsyncIteration:
                return
            finally:
                variable.reset(token)
            yield item
    finally:
        with variable_set(variable, value):
            await items.aclose()


class ClassMethodsOnly:
    """A class without instances, as AutoGen has its contexts."""

    def __init__(self) -> NoReturn:
        name = type(self).__name__
        raise RuntimeError(f"{name} has no instances: call its class methods.")


class MessageHandlerContext(ClassMethodsOnly):
    """Access to the agent whose message handler runs."""

    @classmethod
    def agent_id(cls) -> AgentId:
        """The agent whose handler is running.

        Raises:
            RuntimeError: No message handler is running here.
        """
        agent_id = handling_agent.get()
        if agent_id is None:
            raise RuntimeError("MessageHandlerContext.agent_id() is only known inside a message handler.")
        return agent_id

    @classmethod
    def populate_context(cls, ctx: AgentId) -> AbstractContextManager[None]:
        """For runtimes: everything inside is the handler of `ctx`."""
        return variable_set(handling_agent, ctx)


class SubscriptionInstantiationContext(ClassMethodsOnly):
    """Access, inside a subscription factory, to the agent type that is being subscribed."""

    @classmethod
    def populate_context(cls, ctx: AgentType) -> AbstractContextManager[None]:
        """For runtimes: everything inside makes subscriptions for the agent type `ctx`."""
        return variable_set(_subscribing_type, ctx)

    @classmethod
    def agent_type(cls) -> AgentType:
        """The agent type that is being subscribed.

        Raises:
            RuntimeError: No agent type is being registered here.
        """
        agent_type = _subscribing_type.get()
        if agent_type is None:
            raise RuntimeError(
                "SubscriptionInstantiationContext.agent_type() is only known while an agent type is being registered."
            )
        return agent_type
