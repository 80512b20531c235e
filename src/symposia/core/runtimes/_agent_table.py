"""The agent types of a runtime, and the data that it keeps for each agent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Generic, Protocol, TypeAlias, TypeVar, cast

from symposia.core._agent_id import AgentId, check_agent_type
from symposia.core._agent_runtime import Agent, AgentRuntime
from symposia.core._instantiation import AgentInstantiationContext
from symposia.core.exceptions import AgentError, RegistrationError
from symposia.core.runtimes._dead_letters import Failures

T = TypeVar("T")
Factory: TypeAlias = Callable[[], "Agent | Awaitable[Agent]"]


class AgentMailbox(Protocol):
    """What a runtime keeps for one agent, as far as registration goes."""

    @property
    def id(self) -> AgentId:
        """The agent's id."""
        ...

    @property
    def agent(self) -> Agent | None:
        """The agent; None until it is made."""
        ...

    def set_agent(self, agent: Agent) -> None:
        """Take the agent, which was made or registered."""
        ...


MailboxT = TypeVar("MailboxT", bound=AgentMailbox)


class AgentKind:
    """One agent type: how its agents are made.

    Attributes:
        name: The agent type.
        factory: Makes an agent; None if agents of this type are only registered as instances.
        expected_class: The class that the factory must make; None for any.
        instances: The keys that are registered as instances.
    """

    __slots__ = ("expected_class", "factory", "instances", "name")

    def __init__(self, name: str, factory: Factory | None = None, expected_class: type[Agent] | None = None) -> None:
        self.name = name
        self.factory = factory
        self.expected_class = expected_class
        self.instances: frozenset[str] = frozenset()  # most types have none, and no set of their own

    async def make(self, agent_id: AgentId, runtime: AgentRuntime) -> Agent:
        """Make the agent of that id, and bind it to its runtime.

        Raises:
            RegistrationError: The type has no factory, or the factory made something else than it should.
            Exception: The error of the factory.
        """
        if self.factory is None:
            known = ", ".join(sorted(self.instances)) or "none"
            raise RegistrationError(
                f"Agent {agent_id} does not exist: agents of type {self.name!r} are registered as instances, and the "
                f"keys registered are: {known}. A subscription with this type reaches only topics with these sources."
            )
        # Entered around the wait too: the constructor of an agent, which reads it, may come after an `await`.
        with AgentInstantiationContext.populate_context((runtime, agent_id)):
            made = self.factory()
            agent = await made if isinstance(made, Awaitable) else made
        check_instance(agent, f"The factory of agent type {self.name!r} returned")
        if self.expected_class is not None and not isinstance(agent, self.expected_class):
            raise RegistrationError(
                f"The factory of agent type {self.name!r} made a {type(agent).__name__}, "
                f"but it was registered for {self.expected_class.__name__}."
            )
        await agent.bind_id_and_runtime(agent_id, runtime)
        return agent


def check_instance(given: object, source: str) -> None:
    """Raise an error for an object that is not an agent.

    Args:
        given: The object.
        source: Where it is from, for the error: ``The factory of agent type 'writer' returned``.

    Raises:
        RegistrationError: It is a class, None, or anything else.
    """
    # By a method of `Agent` and not by `isinstance`, which looks at every member of a protocol.
    if isinstance(given, type):
        raise RegistrationError(
            f"{source} the class {given.__name__}, which is not an agent: an instance of it is needed, such as "
            f"{given.__name__}()."
        )
    if not hasattr(given, "bind_id_and_runtime"):
        hint = " A `return` may be missing." if given is None else ""
        raise RegistrationError(f"{source} {given!r}, which is not an agent.{hint}")


class AgentTable(Generic[MailboxT]):
    """Every agent type of a runtime, and the mailboxes of its agents.

    A mailbox is made when it is first asked for, its agent later. They are found by type and then by key: an `AgentId`
    is hashed in Python code, which would cost each message as much as the rest of its way to the mailbox.

    Args:
        new_mailbox: Makes the mailbox of an agent, given its id and its type.
    """

    def __init__(self, new_mailbox: Callable[[AgentId, AgentKind], MailboxT]) -> None:
        self._kinds: dict[str, AgentKind] = {}
        self._mailboxes: dict[str, dict[str, MailboxT]] = {}
        self._new_mailbox = new_mailbox

    def __contains__(self, agent_type: str) -> bool:
        return agent_type in self._kinds

    def known_types(self) -> str:
        """The registered types, as a sentence for error messages."""
        return f"Registered types: {', '.join(sorted(self._kinds)) or 'none'}."

    def add_factory(self, agent_type: str, factory: Factory, expected_class: type[Agent] | None) -> None:
        """Register an agent type.

        Raises:
            RegistrationError: The type is registered already or no `AgentId` can have it, or `factory` is no function.
        """
        try:
            check_agent_type(agent_type)
        except ValueError as error:
            raise RegistrationError(f"{error} No AgentId could name an agent of this type.") from None
        if not callable(factory):
            raise RegistrationError(
                f"The factory of agent type {agent_type!r} has to be a function without arguments that returns an "
                f"agent, such as {type(factory).__name__} or lambda: {type(factory).__name__}(…), not the object "
                f"{factory!r}. An agent that exists is registered with agent.register_instance(runtime, AgentId(…))."
            )
        if agent_type in self._kinds:
            raise RegistrationError(f"Agent type {agent_type!r} is already registered; each type is registered once.")
        self._kinds[agent_type] = AgentKind(agent_type, factory, expected_class)
        self._mailboxes[agent_type] = {}

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
        if agent_id.key in kind.instances:
            raise RegistrationError(f"Agent {agent_id} is already registered.")

    def add_instance(self, agent: Agent, agent_id: AgentId) -> None:
        """Register an agent that exists, under an id that is free."""
        kind = self._kinds.setdefault(agent_id.type, AgentKind(agent_id.type))
        kind.instances |= {agent_id.key}
        self._mailboxes.setdefault(agent_id.type, {})
        self.mailbox(agent_id).set_agent(agent)

    def remove(self, agent_type: str) -> list[MailboxT]:
        """Forget an agent type.

        Returns:
            Its mailboxes, whose messages may still be handled.

        Raises:
            LookupError: The type is not registered.
        """
        if agent_type not in self._kinds:
            raise self.unknown(agent_type)
        del self._kinds[agent_type]
        return list(self._mailboxes.pop(agent_type).values())

    def find(self, agent_id: AgentId) -> MailboxT | None:
        """The mailbox of an agent, whether or not the agent was made; None if its type is not registered."""
        # The fields and not the properties, which are functions: it is done for each message.
        mailboxes = self._mailboxes.get(agent_id._type)  # noqa: SLF001
        mailbox = None if mailboxes is None else mailboxes.get(agent_id._key)  # noqa: SLF001
        return mailbox if mailboxes is None or mailbox is not None else self._add(agent_id, mailboxes)

    def mailbox(self, agent_id: AgentId) -> MailboxT:
        """The mailbox of an agent whose type must be registered.

        Raises:
            LookupError: The type is not registered.
        """
        mailbox = self.find(agent_id)
        if mailbox is None:
            raise self.unknown(agent_id.type)
        return mailbox

    def find_by(self, agent_type: str, key: str) -> MailboxT | None:
        """Like `find`, for an id in two parts."""
        mailboxes = self._mailboxes.get(agent_type)
        mailbox = None if mailboxes is None else mailboxes.get(key)
        return mailbox if mailboxes is None or mailbox is not None else self._add(AgentId(agent_type, key), mailboxes)

    def mailboxes(self) -> Iterator[MailboxT]:
        """Every mailbox that was ever made."""
        for mailboxes in self._mailboxes.values():
            yield from mailboxes.values()

    async def close_agents(self, failures: Failures) -> None:
        """Close every agent, whatever the others raise, and also when the caller is cancelled meanwhile.

        What is no `Exception`, such as a cancellation of the caller, is the first of the failures.
        """
        errors: list[BaseException] = []
        for mailbox in list(self.mailboxes()):
            if mailbox.agent is not None:
                try:
                    await without_self_cancellation(mailbox.agent.close(), f"close() of agent {mailbox.id}")
                except BaseException as error:  # noqa: BLE001 - raised once everything is closed
                    errors.append(error)
        for error in sorted(errors, key=lambda error: isinstance(error, Exception)):
            failures.add(error)

    def _add(self, agent_id: AgentId, mailboxes: dict[str, MailboxT]) -> MailboxT:
        mailbox = mailboxes[agent_id.key] = self._new_mailbox(agent_id, self._kinds[agent_id.type])
        return mailbox

    def unknown(self, agent_type: str) -> LookupError:
        """The error that an agent type is not registered."""
        return LookupError(f"Agent type {agent_type!r} is not registered. {self.known_types()}")


async def without_self_cancellation(work: Awaitable[T], what: str) -> T:
    """Await what an agent does, without letting it cancel the caller.

    Args:
        work: What the agent does.
        what: Names it in the error.

    Raises:
        AgentError: It raised `CancelledError` without having been cancelled.
        Exception: Its error.
    """
    task = cast("asyncio.Task[object]", asyncio.current_task())
    before = task.cancelling()
    try:
        return await work
    except asyncio.CancelledError as error:
        if task.cancelling() > before:
            raise
        raise AgentError(f"{what} raised CancelledError.") from error
