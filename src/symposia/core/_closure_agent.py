"""Agents made of one function."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Literal, Protocol, TypeVar

from symposia.core._agent_id import AgentId, AgentType
from symposia.core._agent_runtime import AgentRuntime
from symposia.core._base_agent import BaseAgent, add_serializers, bind_subscriptions
from symposia.core._cancellation_token import CancellationToken
from symposia.core._handler_signature import read_signature
from symposia.core._message_context import MessageContext
from symposia.core._subscription import Subscription
from symposia.core._topic import TopicId
from symposia.core._worker_threads import as_coroutine_function, run_handler_in_worker_thread
from symposia.core.exceptions import CantHandleException

T = TypeVar("T")
UnknownTypePolicy = Literal["error", "warn", "ignore"]


class ClosureContext(Protocol):
    """The interface of an agent for its closure."""

    @property
    def id(self) -> AgentId:
        """The agent's name in its runtime."""
        ...

    def send_message(
        self,
        message: Any,
        recipient: AgentId,
        *,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
        timeout: float | None = None,
    ) -> Coroutine[Any, Any, Any]:
        """Send a message to one agent and wait for its answer: see `AgentRuntime.send_message`."""
        ...

    def publish_message(
        self, message: Any, topic_id: TopicId, *, cancellation_token: CancellationToken | None = None
    ) -> Coroutine[Any, Any, None]:
        """Give a message to every subscribed agent but this one: see `AgentRuntime.publish_message`."""
        ...


Closure = Callable[[ClosureContext, T, MessageContext], Any]


class ClosureAgent(BaseAgent, ClosureContext):
    """An agent that is one function. A plain ``def`` runs in a worker thread.

    Args:
        description: What the agent is for, in words that a model can read.
        closure: Called with the agent, the message and its context. The message's annotation says which types it takes.
        unknown_type_policy: What to do with messages of other types: raise `CantHandleException`, warn and leave them,
            or give them to the closure all the same.

    Raises:
        HandlerSignatureError: The closure cannot be a handler.
    """

    def __init__(
        self, description: str, closure: Closure[T], *, unknown_type_policy: UnknownTypePolicy = "warn"
    ) -> None:
        super().__init__(description)
        self._signature = read_signature(closure, first="agent: ClosureContext")
        self._closure = as_coroutine_function(closure, run_handler_in_worker_thread)
        self._unknown_type_policy = unknown_type_policy

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any:
        """Give the message to the closure, if it is of a type that it takes."""
        if self._unknown_type_policy != "ignore" and not self._signature.takes(message):
            return self._refuse(message)
        return await self._closure(self, message, ctx)

    def _refuse(self, message: Any) -> None:
        takes = " | ".join(getattr(t, "__name__", str(t)) for t in self._signature.target_types)
        what = f"{self.id} takes {takes}, not {type(message).__name__}; unknown_type_policy says what to do with others"
        if self._unknown_type_policy == "error":
            raise CantHandleException(what)
        warnings.warn(what, stacklevel=2)

    async def save_state(self) -> Mapping[str, Any]:
        """An empty state: a closure's variables belong to the code that made it."""
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Do nothing: the state is empty."""

    @classmethod
    async def register_closure(
        cls,
        runtime: AgentRuntime,
        type: str,  # noqa: A002 - AutoGen's name
        closure: Closure[T],
        *,
        unknown_type_policy: UnknownTypePolicy = "warn",
        skip_direct_message_subscription: bool = False,
        description: str = "",
        subscriptions: Callable[[], list[Subscription] | Awaitable[list[Subscription]]] | None = None,
    ) -> AgentType:
        """Let a runtime make agents out of one function.

        Args:
            runtime: The runtime.
            type: The type of the agents' ids.
            closure: The function.
            unknown_type_policy: What to do with messages of types that it does not take.
            skip_direct_message_subscription: Leave out the subscription to topic types starting with ``type:``.
            description: What the agents are for.
            subscriptions: Makes the agents' subscriptions.

        Returns:
            The agents' type.

        Raises:
            HandlerSignatureError: The closure cannot be a handler.
            RegistrationError: The type is taken.
        """
        # Read here too, and not only by the agent, which is made at its first message: a wrong signature is an error of
        # the line that registers it.
        signature = read_signature(closure, first="agent: ClosureContext")
        agent_type = await cls.register(
            runtime,
            type,
            lambda: cls(description, closure, unknown_type_policy=unknown_type_policy),
            skip_class_subscriptions=True,
            skip_direct_message_subscription=skip_direct_message_subscription,
        )
        add_serializers(runtime, signature.target_types)
        if subscriptions is not None:
            for subscription in await bind_subscriptions(subscriptions, agent_type):
                await runtime.add_subscription(subscription)
        return agent_type
