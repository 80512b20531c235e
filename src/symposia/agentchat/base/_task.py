"""Tasks, and what can work on one: the arguments and the result of a run."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, SerializeAsAny

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, TextMessage
from symposia.core import CancellationToken
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import RequestUsage

Task: TypeAlias = str | BaseChatMessage | Sequence[BaseChatMessage] | None
"""What a run is given: a text by the user, one message, several messages, or nothing, to continue where it stopped."""


class TaskResult(BaseModel):
    """How a run ended.

    Attributes:
        messages: All messages and events, in order, without streamed chunks.
        stop_reason: Why it ended, where something decided to end it.
    """

    model_config = ConfigDict(defer_build=True)

    messages: Sequence[SerializeAsAny[BaseAgentEvent | BaseChatMessage]]
    stop_reason: str | None = None
    # No field: programs for AutoGen compare results, take them apart and write them as JSON with the two fields above.
    _silent_usage: RequestUsage | None = None
    _uncommitted: frozenset[str] = frozenset()

    @property
    def silent_usage(self) -> RequestUsage:
        """Tokens that stand in no message.

        They are those of choosing the speakers, in a team and in the teams nested in it, unless the team emits its own
        events, which carry them; and those of other calls whose answers are no message: summaries of the conversation,
        models that tools ask, attempts that failed, answers that the clock has cut. A result that was loaded from JSON
        has none.
        """
        return self._silent_usage or RequestUsage(prompt_tokens=0, completion_tokens=0)

    @property
    def uncommitted(self) -> frozenset[str]:
        """The ids of those `messages` that were shown and are not part of the team's conversation.

        They are those of speakers that the clock has interrupted. A result that was loaded from JSON names none.
        """
        return self._uncommitted

    @property
    def usage(self) -> RequestUsage:
        """Every token of the run: those of its messages and the silent ones.

        `RequestUsage.by_model` tells the models apart, and `RequestUsage.usd` has the money.
        """
        counted = [message.models_usage for message in self.messages if message.models_usage is not None]
        return sum(counted, self.silent_usage)

    @property
    def usage_by_agent(self) -> dict[str, RequestUsage]:
        """The tokens of each agent whose messages have some, by its name. The silent tokens are of no agent."""
        by_agent: dict[str, RequestUsage] = {}
        for message in self.messages:
            if message.models_usage is not None:
                spent = by_agent.get(message.source, RequestUsage(0, 0))
                by_agent[message.source] = spent + message.models_usage
        return by_agent


class TaskRunner(Protocol):
    """What an agent and a team have in common: both take a task and work until they have a result."""

    async def run(
        self,
        *,
        task: Task = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> TaskResult:
        """Work on `task` and return the result.

        Args:
            task: What to do. Agents and teams remember, so a later run continues an earlier one.
            cancellation_token: Cancelling it ends the run with `asyncio.CancelledError`.
            output_task_messages: Whether the result starts with the messages of the task itself.
        """
        ...

    def run_stream(
        self,
        *,
        task: Task = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | TaskResult, None]:
        """Work on `task` and yield what happens as it happens; the last item is the `TaskResult`."""
        ...


def task_messages(task: Task) -> list[BaseChatMessage]:
    """The messages of a task. The source of a text is ``user``; no task is no message.

    Raises:
        InvalidArgumentError: `task` is an empty list, or contains an object that is not a chat message.
        ArgumentTypeError: It is nothing of the kind.
    """
    match task:
        case None:
            return []
        case str():
            return [TextMessage(content=task, source="user")]
        case BaseChatMessage():
            return [task]
        case Sequence():
            return _checked(task)
        case _:
            raise ArgumentTypeError(
                f"Task must be a string, a BaseChatMessage, or a list of BaseChatMessage, not {type(task)}."
            )


def _checked(task: Sequence[object]) -> list[BaseChatMessage]:
    if not task:
        raise InvalidArgumentError("Task list cannot be empty.")
    messages = [message for message in task if isinstance(message, BaseChatMessage)]
    if len(messages) < len(task):
        wrong = next(message for message in task if not isinstance(message, BaseChatMessage))
        raise InvalidArgumentError(
            "All messages in task list must be valid BaseChatMessage types. Invalid message type in sequence: "
            f"{type(wrong)}"
        )
    return messages
