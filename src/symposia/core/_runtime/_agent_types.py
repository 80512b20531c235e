"""Agent types: which agents a runtime can make, which it has made, and which idle ones it evicts."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, cast

from symposia.core._agent_id import AgentId
from symposia.core._agent_runtime import Agent, AgentRuntime
from symposia.core._base_agent import BaseAgent
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


class Eviction:
    """Decides which agents have been idle for too long, or are too many.

    An agent is evicted between two messages: its state is saved, it is forgotten and closed. Its next message makes a
    new one, which is given the state. Only agents that a factory makes and whose class saves its state can come back
    the same, so no others are evicted; nor are those that handle several messages at once, which are never seen idle.

    Args:
        max_idle_agents: How many idle agents may be kept; None for any number.
        max_idle_seconds: For how long an idle agent may be kept; None for any time.
        evict: Called with the mailbox of each agent that has to go.
    """

    def __init__(
        self, max_idle_agents: int | None, max_idle_seconds: float | None, evict: Callable[[Mailbox], None]
    ) -> None:
        self._max_agents = max_idle_agents
        self._max_seconds = max_idle_seconds
        self._evict = evict
        self._idle_since: dict[Mailbox, float] = {}  # the longest idle first
        self._timer: asyncio.TimerHandle | None = None

    def note_idle(self, mailbox: Mailbox) -> None:
        """An agent has handled its last message for now."""
        if not _comes_back_the_same(mailbox):
            return
        self._idle_since.pop(mailbox, None)
        self._idle_since[mailbox] = asyncio.get_running_loop().time()
        while self._max_agents is not None and len(self._idle_since) > self._max_agents:
            self._let_go(next(iter(self._idle_since)))
        self._set_timer()

    def stop(self) -> None:
        """Evict no agent until the next message is handled."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _let_go(self, mailbox: Mailbox) -> None:
        del self._idle_since[mailbox]
        if mailbox.is_free:  # else it is busy again, and will be noted when it is done
            self._evict(mailbox)

    def _set_timer(self) -> None:
        if self._max_seconds is not None and self._timer is None and self._idle_since:
            due = next(iter(self._idle_since.values())) + self._max_seconds
            self._timer = asyncio.get_running_loop().call_at(due, self._let_go_of_the_stale)

    def _let_go_of_the_stale(self) -> None:
        self._timer = None
        stale_since = asyncio.get_running_loop().time() - cast("float", self._max_seconds)
        while self._idle_since:
            mailbox, since = next(iter(self._idle_since.items()))
            if since > stale_since:
                break
            self._let_go(mailbox)
        self._set_timer()


def _comes_back_the_same(mailbox: Mailbox) -> bool:
    if mailbox.agent is None or mailbox.concurrent or mailbox.kind.factory is None:
        return False
    return getattr(type(mailbox.agent), "save_state", None) is not BaseAgent.save_state
