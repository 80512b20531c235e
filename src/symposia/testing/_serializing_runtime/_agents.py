"""The agents of a runtime: their factories, and their making when the first message arrives."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable

from symposia.core import Agent, AgentId, AgentInstantiationContext, AgentRuntime
from symposia.core.exceptions import RegistrationError, UndeliverableException
from symposia.testing._serializing_runtime._delivery import Mailbox

Factory = Callable[[], Agent | Awaitable[Agent]]


class AgentTable:
    """The agent types, and the agents of each that have a mailbox.

    Attributes:
        mailboxes: By the ids of their agents, which are made when the first message is handled.

    Args:
        runtime: What agents are made for.
    """

    def __init__(self, runtime: AgentRuntime) -> None:
        self.mailboxes: dict[AgentId, Mailbox] = {}
        self._runtime = runtime
        self._factories: dict[str, tuple[Factory | None, type[Agent] | None]] = {}

    def __contains__(self, agent_type: str) -> bool:
        return agent_type in self._factories

    def known_types(self) -> str:
        """The registered types, as a sentence for error messages."""
        return f"Registered types: {', '.join(sorted(self._factories)) or 'none'}."

    def check(self, agent_type: str) -> None:
        """Raise `LookupError` if an agent type is not registered."""
        if agent_type not in self._factories:
            raise LookupError(f"Agent type {agent_type!r} is not registered. {self.known_types()}")

    def mailbox(self, agent_id: AgentId) -> Mailbox:
        """The mailbox of an agent, which need not exist yet."""
        return self.mailboxes.setdefault(agent_id, Mailbox(agent_id))

    def add_factory(self, agent_type: str, factory: Factory, expected_class: type[Agent] | None) -> None:
        """Register an agent type.

        Raises:
            RegistrationError: The type is registered already.
        """
        if agent_type in self._factories:
            raise RegistrationError(f"Agent type {agent_type!r} is already registered; each is registered once.")
        self._factories[agent_type] = (factory, expected_class)

    async def add_instance(self, agent: Agent, agent_id: AgentId) -> None:
        """Register an agent that exists.

        Raises:
            RegistrationError: There is such an agent, or its type has a factory.
        """
        factory, _ = self._factories.get(agent_id.type, (None, None))
        mailbox = self.mailboxes.get(agent_id)
        if factory is not None or (mailbox is not None and mailbox.agent is not None):
            raise RegistrationError(f"Agent {agent_id} is already registered, or its type has a factory.")
        await agent.bind_id_and_runtime(agent_id, self._runtime)
        self._factories[agent_id.type] = (None, None)
        self.mailbox(agent_id).agent = agent

    def remove(self, agent_type: str) -> list[Mailbox]:
        """Forget an agent type, and return the mailboxes that its agents had.

        Raises:
            LookupError: The type is not registered.
        """
        self.check(agent_type)
        del self._factories[agent_type]
        return [self.mailboxes.pop(agent_id) for agent_id in list(self.mailboxes) if agent_id.type == agent_type]

    async def make(self, agent_id: AgentId) -> Agent:
        """Make an agent with the factory of its type.

        Raises:
            UndeliverableException: Its type was removed.
            RegistrationError: Its type has no factory, or the factory made an agent of another class.
        """
        if agent_id.type not in self._factories:
            raise UndeliverableException(f"Agent {agent_id} is not made: its type was removed. {self.known_types()}")
        factory, expected_class = self._factories[agent_id.type]
        if factory is None:
            known = [str(one.key) for one, box in self.mailboxes.items() if box.agent and one.type == agent_id.type]
            raise RegistrationError(
                f"Agent {agent_id} does not exist: agents of its type are registered as instances, and the keys "
                f"registered are: {', '.join(sorted(known)) or 'none'}."
            )
        with AgentInstantiationContext.populate_context((self._runtime, agent_id)):
            made = factory()
            agent = await made if inspect.isawaitable(made) else made
        if expected_class is not None and not isinstance(agent, expected_class):
            raise RegistrationError(f"The factory of {agent_id.type!r} made a {type(agent).__name__}.")
        await agent.bind_id_and_runtime(agent_id, self._runtime)
        return agent
