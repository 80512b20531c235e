"""`Apprentice`: an agent or a team with a memory of insights."""

from __future__ import annotations

import secrets
from typing import Final, Literal

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.base import TaskResult
from symposia.agentchat.messages import TextMessage
from symposia.core.argument_checks import check_model_client
from symposia.core.models import ChatCompletionClient
from symposia.ext.experimental.task_centric_memory._configs import checked_config
from symposia.ext.experimental.task_centric_memory.memory_controller import MemoryController, MemoryControllerConfig
from symposia.ext.experimental.task_centric_memory.utils.page_logger import PageLogger, checked_logger
from symposia.ext.teams.magentic_one import MagenticOne

__all__ = ["Apprentice", "ApprenticeConfig"]

_SYSTEM: Final = """\
You solve tasks. Begin with what the task asks for and which of the insights that it may come with apply. Then \
work in steps, check the result against the task, and end with the answer in a line of its own."""


@with_config(ConfigDict(extra="forbid", arbitrary_types_allowed=True))
class ApprenticeConfig(TypedDict, total=False):
    """The configuration of an `Apprentice`.

    Attributes:
        name_of_agent_or_team: What solves the tasks: ``AssistantAgent``, the default, or ``MagenticOneGroupChat``,
            which is a `MagenticOne` with its specialists.
        disable_prefix_caching: Whether each task begins with a random number, so that a vendor's cache of prompts does
            not make trials alike. False by default.
        MemoryController: The configuration of the controller.
    """

    name_of_agent_or_team: Literal["AssistantAgent", "MagenticOneGroupChat"]
    disable_prefix_caching: bool
    MemoryController: MemoryControllerConfig


class Apprentice:
    """Solves tasks by a new agent or team each, with insights from a memory, which lasts.

    A program with agents of its own overrides `assign_task_to_agent_or_team`, or gives that function to a
    `MemoryController`.

    Args:
        client: The model of the agent and of the memory.
        config: The configuration.
        logger: Logs each step; by default nothing is logged.

    Raises:
        ArgumentTypeError: `client` is no model client, or `logger` no `PageLogger`.
        InvalidArgumentError: `config` has a key that does not exist, or another value than the key allows.
    """

    def __init__(
        self,
        client: ChatCompletionClient,
        config: ApprenticeConfig | None = None,
        logger: PageLogger | None = None,
    ) -> None:
        check_model_client(type(self).__name__, client)
        given = checked_config(config, ApprenticeConfig)
        self.client = client
        self.logger = checked_logger(type(self).__name__, logger)
        self.name_of_agent_or_team = given.get("name_of_agent_or_team", "AssistantAgent")
        self.disable_prefix_caching = given.get("disable_prefix_caching", False)
        self.memory_controller = MemoryController(
            reset=False,
            client=client,
            task_assignment_callback=self.assign_task_to_agent_or_team,
            config=given.get("MemoryController"),
            logger=self.logger,
        )

    def reset_memory(self) -> None:
        """Forget everything; see `MemoryController.reset_memory`."""
        self.memory_controller.reset_memory()

    async def handle_user_message(self, text: str, should_await: bool = True) -> str:
        """Learn from a message and answer it; see `MemoryController.handle_user_message`."""
        return await self.memory_controller.handle_user_message(text, should_await)

    async def add_task_solution_pair_to_memory(self, task: str, solution: str) -> None:
        """Learn from a solved task; see `MemoryController.add_task_solution_pair_to_memory`."""
        await self.memory_controller.add_task_solution_pair_to_memory(task, solution)

    async def assign_task(self, task: str, use_memory: bool = True, should_await: bool = True) -> str:
        """Solve a task; see `MemoryController.assign_task`."""
        return await self.memory_controller.assign_task(task, use_memory, should_await)

    async def train_on_task(self, task: str, expected_answer: str) -> None:
        """Learn from failures at a task; see `MemoryController.train_on_task`."""
        await self.memory_controller.train_on_task(task, expected_answer)

    async def assign_task_to_agent_or_team(self, task: str) -> tuple[str, str]:
        """Give a task to a new agent or team.

        Returns:
            The response, and the messages before it, as texts.
        """
        with self.logger.page():
            asked = f"({secrets.randbelow(1_000_000)})\n\n{task}" if self.disable_prefix_caching else task
            result = await self._run(asked)
            self.logger.log_model_task("The work", [], result)
            messages = [message for message in result.messages if message.source != "user"]
            work = "\n\n".join(f"{message.source}: {message.to_text()}" for message in messages)
            return (messages[-1].to_text() if messages else ""), work

    async def _run(self, task: str) -> TaskResult:
        if self.name_of_agent_or_team == "MagenticOneGroupChat":
            async with MagenticOne(self.client) as team:  # which closes its browser and its sandbox
                return await team.run(task=TextMessage(content=task, source="user"))
        agent = AssistantAgent("apprentice", self.client, system_message=_SYSTEM)
        return await agent.run(task=TextMessage(content=task, source="user"))
