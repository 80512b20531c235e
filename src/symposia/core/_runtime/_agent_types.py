"""Which agents a runtime can make, and the ones that it has made."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from symposia.core._agent_id import AgentId
from symposia.core._agent_runtime import Agent, AgentRuntime
from symposia.core._instantiation import AgentInstantiationContext
from symposia.core._runtime._mailbox import Mailbox
from symposia.core.exceptions import RegistrationError


class AgentKind:
    """One agent type: how its agents are made, and their mailboxes by key.

    Args:
        name: The agent type.
        factory: Makes an agent; None if agents of this type are only registered as instances.
        expected_class: What the factory must make.
    """

    __slots__ = ("expected_class", "factory", "mailboxes", "name")

    def __init__(
        self,
        name: str,
        factory: Callable[[], Agent | Awaitable[Agent]] | None = None,
        expected_class: type[Agent] | None = None,
    ) -> None:
        self.name = name
        self.factory = factory
        self.expected_class = expected_class
        self.mailboxes: dict[str, Mailbox] = {}

    async def make(self, agent_id: AgentId, runtime: AgentRuntime) -> Agent:
        """Make the agent of that id."""
        if self.factory is None:
            known = ", ".join(sorted(key for key, box in self.mailboxes.items() if box.agent)) or "none"
            raise RegistrationError(
                f"Agent {agent_id} does not exist: agents of type {self.name!r} are registered as instances, and the "
                f"keys registered are: {known}. A subscription with this type reaches only topics with these sources."
            )
        with AgentInstantiationContext.populate_context((runtime, agent_id)):
            made = self.factory()
            agent = await made if isinstance(made, Awaitable) else made
        if self.expected_class is not None and not isinstance(agent, self.expected_class):
            raise RegistrationError(
                f"The factory of agent type {self.name!r} made a {type(agent).__name__}, "
                f"but it was registered for {self.expected_class.__name__}."
            )
        await agent.bind_id_and_runtime(agent_id, runtime)
        return agent


class AgentTypes:
    """Every agent type of a runtime."""

    def __init__(self, ready: deque[Mailbox]) -> None:
        self._kinds: dict[str, AgentKind] = {}
        self._ready = ready

    def add_factory(self, name: str, factory: Callable[[], Any], expected_class: type[Agent] | None) -> None:
        """Register a type.

        Raises:
            RegistrationError: It is taken.
        """
        if name in self._kinds:
            raise RegistrationError(f"Agent type {name!r} is already registered; each type is registered once.")
        self._kinds[name] = AgentKind(name, factory, expected_class)

    def remove(self, name: str) -> list[Mailbox]:
        """Forget a type.

        Returns:
            Its mailboxes, whose messages are still handled.

        Raises:
            LookupError: There is none of that name.
        """
        kind = self._kinds.pop(name, None)
        if kind is None:
            raise LookupError(f"Agent type {name!r} is not registered, so it cannot be removed.")
        return list(kind.mailboxes.values())

    def check_free(self, agent_id: AgentId) -> None:
        """Refuse an id that no instance can be registered under.

        Raises:
            RegistrationError: The id is taken, or its type has a factory.
        """
        kind = self._kinds.get(agent_id.type)
        if kind is None:
            return
        if kind.factory is not None:
            raise RegistrationError(
                f"Agent type {agent_id.type!r} has a factory; agent instances need a type without one."
            )
        mailbox = kind.mailboxes.get(agent_id.key)
        if mailbox is not None and mailbox.agent is not None:
            raise RegistrationError(f"Agent {agent_id} is already registered.")

    def add_instance(self, agent: Agent, agent_id: AgentId) -> None:
        """Register an agent that exists, under an id that is free."""
        kind = self._kinds.setdefault(agent_id.type, AgentKind(agent_id.type))
        mailbox = kind.mailboxes.get(agent_id.key) or self._new_mailbox(agent_id, kind)
        mailbox.settle_in(agent)

    def mailbox(self, agent_id: AgentId) -> Mailbox | None:
        """The mailbox of an agent, whether or not the agent was made; None if its type is unknown."""
        kind = self._kinds.get(agent_id.type)
        if kind is None:
            return None
        return kind.mailboxes.get(agent_id.key) or self._new_mailbox(agent_id, kind)

    def mailbox_of(self, type_: str, key: str) -> Mailbox | None:
        """Likewise, for an id in two parts."""
        kind = self._kinds.get(type_)
        if kind is None:
            return None
        return kind.mailboxes.get(key) or self._new_mailbox(AgentId(type_, key), kind)

    def mailboxes(self) -> Iterator[Mailbox]:
        """Every mailbox that was ever used."""
        for kind in self._kinds.values():
            yield from kind.mailboxes.values()

    def names(self) -> list[str]:
        """The types known."""
        return sorted(self._kinds)

    def _new_mailbox(self, agent_id: AgentId, kind: AgentKind) -> Mailbox:
        mailbox = kind.mailboxes[agent_id.key] = Mailbox(agent_id, kind, self._ready)
        return mailbox
