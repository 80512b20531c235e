"""The base class of agents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from symposia.agentchat import base
from symposia.agentchat._arguments import check_optional_text, check_token
from symposia.agentchat._response import (
    ask_agent,
    ask_agent_stream,
    checked_item,
    checked_response,
    note_response,
    ordered_items,
    silent_usage_of,
)
from symposia.agentchat.base import ChatAgent, Response, Task, TaskResult, task_messages
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    Item,
    MessageType,
    ModelClientStreamingChunkEvent,
    StopMessage,
)
from symposia.agentchat.state import BaseState
from symposia.core import CancellationToken
from symposia.core.argument_checks import check_text
from symposia.core.effects import enter_scope, iterate_in_scope
from symposia.core.exceptions import InvalidArgumentError, UsageError
from symposia.core.models import UsageAccount
from symposia.core.telemetry import agent_creation, agent_invocation


class BaseChatAgent(ChatAgent, ABC):
    """The base class of agents. Implement `on_messages`, `on_reset` and `produced_message_types`.

    Implement `on_messages_stream` too if the agent has events to show before its answer.

    Args:
        name: Unique within a team; a Python identifier, since models call agents by it.
        description: Describes the agent to the speaker selection.

    Raises:
        ArgumentTypeError: One of the two is no text.
        InvalidArgumentError: `name` is not a Python identifier.
    """

    def __init__(self, name: str, description: str) -> None:
        with agent_creation(name, description):
            check_text("The name", "an agent", name)
            check_optional_text("The description", f"agent '{name}'", description)
            if not name.isidentifier():
                raise InvalidArgumentError(f"The agent name must be a valid Python identifier. {name!r} is none.")
            self._name = name
            self._description = description

    @property
    def name(self) -> str:
        """Unique within a team."""
        try:
            return self._name
        except AttributeError:
            raise _uninitialized(self) from None

    @property
    def description(self) -> str:
        """The description of the agent."""
        try:
            return self._description
        except AttributeError:
            raise _uninitialized(self) from None

    @property
    @abstractmethod
    def produced_message_types(self) -> Sequence[MessageType]:
        """The classes that the `chat_message` of a response can have."""

    def check_outline(self) -> base.AgentOutline:
        """An outline without handoffs if the agent produces no `HandoffMessage`; the rest is unknown."""
        produced = self.produced_message_types
        return base.AgentOutline(handoffs=None if HandoffMessage in produced else ())

    @abstractmethod
    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Answer the messages that are new since the last turn."""

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Answer by `on_messages`; yield the response's inner messages, then the response."""
        response = await ask_agent(self, messages, cancellation_token)
        for message in response.inner_messages or ():
            yield message
        yield response

    async def run(
        self,
        *,
        task: Task = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> TaskResult:
        """Answer `task` in one turn; see `TaskRunner.run`.

        Raises:
            InvalidArgumentError: `task` is empty or contains an object that is not a chat message.
            ArgumentTypeError: `task` or `cancellation_token` is of another type.
        """
        given = task_messages(task)
        check_token(cancellation_token)
        account = UsageAccount()
        with (
            enter_scope(f"agent:{self.name}"),
            agent_invocation(self.name, self.description) as activity,
            activity.current(),
            account.current(),
        ):
            response = await ask_agent(self, given, cancellation_token or CancellationToken())
            answer = response.chat_message
            answered = [*(response.inner_messages or ()), answer]
            silent = silent_usage_of(account, answered)
            note_response(activity, response, silent)
        shown = given if output_task_messages else ()
        # Not validated: messages are what they are, and validating them again takes a tenth of a short run.
        return TaskResult.model_construct(
            messages=[*shown, *answered], stop_reason=_stop_reason(answer), _silent_usage=silent
        )

    async def run_stream(
        self,
        *,
        task: Task = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | TaskResult, None]:
        """Answer `task` in one turn, and yield what happens as it happens; see `TaskRunner.run_stream`.

        Raises:
            InvalidArgumentError: `task` is empty or contains an object that is not a chat message.
            ArgumentTypeError: `task` or `cancellation_token` is of another type.
        """
        given = task_messages(task)
        check_token(cancellation_token)
        transcript: list[BaseAgentEvent | BaseChatMessage] = []
        for message in given if output_task_messages else ():
            transcript.append(message)
            yield message
        answered: list[BaseAgentEvent | BaseChatMessage] = []
        account = UsageAccount()
        answer = _stream_answer(self, given, cancellation_token or CancellationToken(), answered, account)
        async with aclosing(iterate_in_scope(f"agent:{self.name}", account.within(answer))) as items:
            async for message in items:
                yield message
        yield TaskResult.model_construct(
            messages=[*transcript, *answered],
            stop_reason=_stop_reason(answered[-1]) if answered else None,
            _silent_usage=silent_usage_of(account, answered),
        )

    async def on_pause(self, cancellation_token: CancellationToken) -> None:
        """Do nothing."""

    async def on_resume(self, cancellation_token: CancellationToken) -> None:
        """Do nothing."""

    @abstractmethod
    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Return to the state after construction."""

    # Any: a state is JSON that each class shapes for itself.
    async def save_state(self) -> Mapping[str, Any]:
        """The kind of state alone: by default, an agent has no state."""
        # Not `BaseState().model_dump()`, for which pydantic first builds a validator and a serializer.
        return {name: field.default for name, field in BaseState.model_fields.items()}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Check `state`: by default, there is nothing to restore.

        Raises:
            pydantic.ValidationError: It is not a state.
        """
        BaseState.model_validate(state)

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""


def _stop_reason(answer: Item | None = None) -> str | None:
    return answer.content if isinstance(answer, StopMessage) else None


def _uninitialized(agent: BaseChatAgent) -> UsageError:
    return UsageError(
        f"__init__ of the agent class {type(agent).__name__} has to call super().__init__(name, description)."
    )


def declared_types(agent: BaseChatAgent, kind: type[BaseChatAgent]) -> Sequence[MessageType] | None:
    """The types of messages that an agent declares, for its outline; None for a subclass of `kind`.

    A subclass often answers with types that it does not declare, as nothing needs the declaration in one process.
    """
    return agent.produced_message_types if type(agent) is kind else None


async def _stream_answer(
    agent: BaseChatAgent,
    messages: Sequence[BaseChatMessage],
    token: CancellationToken,
    answered: list[BaseAgentEvent | BaseChatMessage],
    account: UsageAccount,
) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage, None]:
    """The messages and events of a turn as they come. In the end, `answered` has them, in the order of the response."""
    with agent_invocation(agent.name, agent.description) as activity:
        async with aclosing(activity.within(ask_agent_stream(agent, messages, token))) as items:
            async for item in items:
                if isinstance(item, Response):
                    response = checked_response(agent, "on_messages_stream", item)
                    note_response(activity, response, silent_usage_of(account, [*answered, item.chat_message]))
                    ordered = ordered_items([message.id for message in answered], item)
                    answered[:] = [*answered, item.chat_message] if ordered is None else ordered
                    yield item.chat_message
                    continue
                if not isinstance(checked_item(agent, item), ModelClientStreamingChunkEvent):
                    answered.append(item)
                yield item
