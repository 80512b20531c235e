"""An agent or a team of AutoGen 0.4 as an agent of 0.2, which can chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from typing_extensions import override

from symposia.agentchat.base import ChatAgent, TaskResult, TaskRunner
from symposia.agentchat.messages import BaseChatMessage
from symposia.core import CancellationToken
from symposia.core.exceptions import ArgumentTypeError
from symposia.v02._background_loop import run_in_background
from symposia.v02.agentchat._conversable import Reply
from symposia.v02.agentchat._converted_messages import from_dict
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.conversable_agent import ConversableAgent


def to_conversable(
    runner: TaskRunner, *, name: str | None = None, description: str | None = None, **options: Any
) -> ConversableAgent:
    """An agent or a team of AutoGen 0.4 for chats of 0.2.

    It is given what was said since its last reply, and replies with its last message. When its history is cleared, it
    is reset. In the plain form it works in an event loop of its own, so a chat works in a notebook too.

    Args:
        runner: The agent, or the team.
        name: Its name in chats; by default its own.
        description: Its description for group chats; by default its own.
        options: Other options of `ConversableAgent`. By default it asks nobody.

    Raises:
        ArgumentTypeError: It is no agent or team of AutoGen 0.4.
    """
    if not hasattr(runner, "run_stream"):
        is_old = isinstance(runner, ConversableAgent)
        what = "an agent of AutoGen 0.2, which takes part in chats as it is" if is_old else repr(runner)
        raise ArgumentTypeError(f"An agent or a team of AutoGen 0.4 is needed, such as AssistantAgent(…), not {what}.")
    own_name = name or str(getattr(runner, "name", "team"))
    own_description = description or str(getattr(runner, "description", own_name))
    return RunnerAgent(runner, own_name, own_description, **options)


class RunnerAgent(ConversableAgent):
    """The result of `to_conversable`.

    Args:
        runner: The agent, or the team.
        name: Its name in chats.
        description: Its description for group chats.
        options: Other options of `ConversableAgent`.
    """

    def __init__(self, runner: TaskRunner, name: str, description: str, **options: Any) -> None:
        given: dict[str, Any] = {"llm_config": False, "human_input_mode": "NEVER", **options}
        super().__init__(name, "", description=description, **given)
        self._runner = runner
        self._heard: dict[Agent | None, int] = {}
        self._is_cleared = False
        self.register_reply([Agent, None], RunnerAgent.generate_runner_reply, position=2)
        self.register_reply(
            [Agent, None], RunnerAgent.a_generate_runner_reply, position=2, ignore_async_in_sync_chat=True
        )

    @override
    def clear_history(self, recipient: Agent | None = None, nr_messages_to_preserve: int | None = None) -> None:
        super().clear_history(recipient, nr_messages_to_preserve)
        self._is_cleared |= recipient in self._heard if recipient is not None else bool(self._heard)

    def generate_runner_reply(
        self, messages: list[Message] | None = None, sender: Agent | None = None, config: object = None
    ) -> tuple[bool, Reply]:
        """The reply function that has the agent or the team work."""
        return run_in_background(lambda: self.a_generate_runner_reply(messages, sender, config))

    async def a_generate_runner_reply(
        self,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        config: object = None,  # noqa: ARG002 - of every reply function
    ) -> tuple[bool, Reply]:
        """As `generate_runner_reply`."""
        history = self._history(messages, sender)
        if self._is_cleared or len(history) <= self._heard.get(sender, 0):  # the latter of messages that were given
            await self._reset_runner()
        new = history[self._heard.get(sender, 0) :]
        result = await self._runner.run(task=_as_task(new, self.name))
        self._heard[sender] = len(history) + 1  # with the reply
        return True, _last_text(result)

    async def _reset_runner(self) -> None:
        self._heard.clear()
        self._is_cleared = False
        if isinstance(self._runner, ChatAgent):
            await self._runner.on_reset(CancellationToken())
        else:
            await cast("Any", self._runner).reset()


def _as_task(messages: Sequence[Message], own_name: str) -> list[BaseChatMessage] | None:
    task = [from_dict(message, "user") for message in messages if message.get("name") != own_name]
    return task or None


def _last_text(result: TaskResult) -> str:
    for message in reversed(result.messages):
        if isinstance(message, BaseChatMessage):
            return message.to_text()
    return ""
