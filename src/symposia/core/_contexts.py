"""What code can ask about where it runs: in which agent's handler, in which factory, under which registration."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NoReturn

from symposia.core._agent_id import AgentId, AgentType

if TYPE_CHECKING:
    from symposia.core._runtime._protocol import AgentRuntime

handling_agent: ContextVar[AgentId | None] = ContextVar("symposia_handling_agent", default=None)
_instantiation: ContextVar[tuple[AgentRuntime, AgentId] | None] = ContextVar("symposia_instantiation", default=None)
_subscribing_type: ContextVar[AgentType | None] = ContextVar("symposia_subscribing_type", default=None)


class _Static:
    def __init__(self) -> NoReturn:
        name = type(self).__name__
        raise RuntimeError(f"{name} has no instances: call its class methods.")


class MessageHandlerContext(_Static):
    """Says, inside a message handler, which agent handles."""

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
    @contextmanager
    def populate_context(cls, ctx: AgentId) -> Generator[None]:
        """For runtimes: everything inside is the handler of `ctx`."""
        token = handling_agent.set(ctx)
        try:
            yield
        finally:
            handling_agent.reset(token)


class AgentInstantiationContext(_Static):
    """Says, inside an agent factory or constructor, for which agent and runtime it is called."""

    @classmethod
    @contextmanager
    def populate_context(cls, ctx: tuple[AgentRuntime, AgentId]) -> Generator[None]:
        """For runtimes: everything inside makes the agent `ctx[1]` for the runtime `ctx[0]`."""
        token = _instantiation.set(ctx)
        try:
            yield
        finally:
            _instantiation.reset(token)

    @classmethod
    def current_runtime(cls) -> AgentRuntime:
        """The runtime that is making an agent.

        Raises:
            RuntimeError: No runtime is making an agent here.
        """
        return cls._current("current_runtime")[0]

    @classmethod
    def current_agent_id(cls) -> AgentId:
        """The id of the agent that is being made.

        Raises:
            RuntimeError: No runtime is making an agent here.
        """
        return cls._current("current_agent_id")[1]

    @classmethod
    def is_in_factory_call(cls) -> bool:
        """Whether a runtime is making an agent here."""
        return _instantiation.get() is not None

    @classmethod
    def _current(cls, method: str) -> tuple[AgentRuntime, AgentId]:
        current = _instantiation.get()
        if current is None:
            raise RuntimeError(
                f"AgentInstantiationContext.{method}() is only known while a runtime makes an agent. "
                "Register a factory with the runtime instead of making the agent yourself."
            )
        return current


class SubscriptionInstantiationContext(_Static):
    """Says, inside a subscription factory, which agent type is being subscribed."""

    @classmethod
    @contextmanager
    def populate_context(cls, ctx: AgentType) -> Generator[None]:
        """For runtimes: everything inside makes subscriptions for the agent type `ctx`."""
        token = _subscribing_type.set(ctx)
        try:
            yield
        finally:
            _subscribing_type.reset(token)

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
