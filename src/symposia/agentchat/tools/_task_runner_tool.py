"""Tools that are made of agents: a call gives an agent, or a team, a task."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from symposia.agentchat import base
from symposia.agentchat._response import usage_event
from symposia.agentchat.base import ChatAgent, TaskResult, Team
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    MessageType,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from symposia.agentchat.tools._runner_calls import calls_of, running_calls
from symposia.core import CancellationToken, iterate_with, variable_set
from symposia.core.argument_checks import check_flag, check_text
from symposia.core.changes import Change, SavedState, save_changes
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.tools import BaseStreamTool, ToolTraits, is_portable_tool_name

Shown: TypeAlias = BaseAgentEvent | BaseChatMessage

_described: Final[ContextVar[frozenset[int] | None]] = ContextVar("described", default=None)
"""The agents and teams, by id, that are being described: their outline is made, or their message types are asked for.

An agent may have itself as a tool, at any depth, and a description of its description would not end."""


class TaskRunnerToolArgs(BaseModel):
    """The arguments of a tool that is made of agents.

    Attributes:
        task: What the agent or the team is to do.
    """

    model_config = ConfigDict(defer_build=True)

    task: str


class TaskRunnerTool(BaseStreamTool[TaskRunnerToolArgs, Shown, TaskResult]):
    """A tool whose calls are runs of an agent or a team. Their messages and events are shown.

    The agent remembers: each call continues its conversation. Calls take place one after another, also when a model
    makes several at once, and when several tools are made of one agent. To effect handlers, a call is the model calls,
    tool calls and turns in it: it is transparent.

    Args:
        runner: The agent or the team.
        name: The name by which the model calls the tool.
        description: The description of the tool for the model.
        return_value_as_last_message: Whether the model reads the last message alone, instead of all of them.

    Raises:
        ArgumentTypeError: An argument is of another type.
    """

    traits = ToolTraits(transparent=True)

    def __init__(
        self, runner: ChatAgent | Team, name: str, description: str, *, return_value_as_last_message: bool = False
    ) -> None:
        owner = f"the tool {name!r}"
        check_text("The name", owner, name)
        check_text("The description", owner, description)
        check_flag("return_value_as_last_message", owner, return_value_as_last_message)
        super().__init__(TaskRunnerToolArgs, TaskResult, name, description, strict=True)
        self._runner = runner
        self._return_value_as_last_message = return_value_as_last_message
        self._calls = calls_of(runner)

    @property
    def produced_message_types(self) -> Sequence[MessageType]:
        """The types of messages that the agent or the team says it produces."""
        around = _described.get() or frozenset()
        if id(self._runner) in around:
            return ()
        with variable_set(_described, around | {id(self._runner)}):
            return self._runner.produced_message_types

    def inner_run(self) -> base.InnerRun:
        """The agent or the team as a part of the outline of an agent that has this tool."""
        name, around = self._runner.name, _described.get() or frozenset()
        outline = None
        if id(self._runner) not in around:
            with variable_set(_described, around | {id(self._runner)}):
                outline = base.participant_outline(name, self._runner.check_outline)
        return base.InnerRun(name=name, outline=outline, runs=base.Bounds(0, 1), is_given_task=True)

    @override
    async def run(self, args: TaskRunnerToolArgs, cancellation_token: CancellationToken) -> TaskResult:
        """Give it the task, and wait for the result.

        Raises:
            UsageError: It was called in a call of the same agent.
            DeadlockError: It would wait for a call that waits for this one.
            Exception: The error of the agent or the team.
        """
        nested = self._calls.nested(self.name)
        async with self._calls.one(self.name, nested):
            with variable_set(running_calls, nested):
                return await self._runner.run(task=args.task, cancellation_token=cancellation_token)

    @override
    async def run_stream(
        self, args: TaskRunnerToolArgs, cancellation_token: CancellationToken
    ) -> AsyncGenerator[Shown | TaskResult, None]:
        """As `run`, and yield what happens; the last item is the result.

        Tokens that belong to no message are yielded as an event before it.
        """
        nested = self._calls.nested(self.name)
        async with self._calls.one(self.name, nested):
            stream = self._runner.run_stream(task=args.task, cancellation_token=cancellation_token)
            async with aclosing(iterate_with(running_calls, nested, stream)) as items:
                async for item in items:
                    if isinstance(item, TaskResult) and (event := usage_event(item.silent_usage, self._runner.name)):
                        yield event
                    yield item

    @override
    def return_value_as_string(self, value: object) -> str:
        """The messages of the agents, each with its source; or the last message alone."""
        if not isinstance(value, TaskResult):
            return super().return_value_as_string(value)
        messages = _answers(value.messages[1:])  # without the task
        if self._return_value_as_last_message:
            return messages[-1].to_model_text() if messages else ""
        return "\n\n".join(f"{message.source}: {message.to_model_text()}" for message in messages)

    @override
    async def save_state_json(self) -> Mapping[str, Any]:
        """The state of the agent or the team."""
        return await self._runner.save_state()

    @override
    async def load_state_json(self, state: SavedState) -> None:
        """Continue from a saved state."""
        await self._runner.load_state(state)

    async def save_changes(self, since: object | None) -> tuple[Change | None, object]:
        """The change of the state since a mark; see `symposia.core.changes.IncrementalState`."""
        return await save_changes(self._runner, since)


def _answers(messages: Sequence[Shown]) -> Sequence[BaseChatMessage]:
    """The chat messages, without the tasks of tools that were called in between."""
    answers: list[BaseChatMessage] = []
    is_calling = False
    for message in messages:
        if isinstance(message, ToolCallRequestEvent | ToolCallExecutionEvent):
            is_calling = isinstance(message, ToolCallRequestEvent)
        elif isinstance(message, BaseChatMessage) and not (is_calling and message.source == "user"):
            answers.append(message)
    return answers


class AgentTool(TaskRunnerTool):
    """A tool that gives an agent a task. It has the agent's name and description; see `TaskRunnerTool`.

        writer = AssistantAgent("writer", client, description="Writes a text on a given topic.")
        editor = AssistantAgent("editor", client, tools=[AgentTool(writer)])

    Args:
        agent: The agent.
        return_value_as_last_message: Whether the model reads the last message alone, instead of all of them.

    Raises:
        ArgumentTypeError: `agent` is no agent.
    """

    def __init__(self, agent: ChatAgent, return_value_as_last_message: bool = False) -> None:
        if not isinstance(agent, ChatAgent):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise ArgumentTypeError(f"agent of AgentTool has to be an agent, not {agent!r}. A team takes a TeamTool.")
        super().__init__(
            agent, agent.name, agent.description, return_value_as_last_message=return_value_as_last_message
        )


class TeamTool(TaskRunnerTool):
    """A tool that gives a team a task; see `TaskRunnerTool`.

    Args:
        team: The team.
        name: The name by which the model calls the tool.
        description: The description of the tool for the model.
        return_value_as_last_message: Whether the model reads the last message alone, instead of all of them.

    Raises:
        ArgumentTypeError: `team` is no team.
        InvalidArgumentError: Vendors refuse the name.
    """

    def __init__(self, team: Team, name: str, description: str, return_value_as_last_message: bool = False) -> None:
        if not isinstance(team, Team):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise ArgumentTypeError(f"team of TeamTool has to be a team, not {team!r}. An agent takes an AgentTool.")
        if isinstance(name, str) and not is_portable_tool_name(name):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise InvalidArgumentError(
                f"name of TeamTool is {name!r}, which vendors of models refuse: give 1 to 64 letters from A to Z, "
                "digits, underscores and hyphens, such as 'research_team'."
            )
        super().__init__(team, name, description, return_value_as_last_message=return_value_as_last_message)
