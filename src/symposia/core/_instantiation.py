"""The id and the runtime of the agent that is being made, for its factory and its constructor."""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar

from symposia.core._agent_id import AgentId
from symposia.core._agent_runtime import AgentRuntime
from symposia.core._contexts import ClassMethodsOnly, variable_set

_instantiation: ContextVar[tuple[AgentRuntime, AgentId] | None] = ContextVar("symposia_instantiation", default=None)


class AgentInstantiationContext(ClassMethodsOnly):
    """Access, inside an agent factory or constructor, to the agent's id and runtime."""

    @classmethod
    def populate_context(cls, ctx: tuple[AgentRuntime, AgentId]) -> AbstractContextManager[None]:
        """For runtimes: everything inside makes the agent `ctx[1]` for the runtime `ctx[0]`."""
        return variable_set(_instantiation, ctx)

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
