from __future__ import annotations

from collections.abc import Sequence

from symposia.agentchat.base import Task
from symposia.agentchat.messages import BaseChatMessage, TextMessage
from symposia.agentchat.teams._given import others_than
from symposia.core.exceptions import InvalidArgumentError


def task_messages(task: Task) -> list[BaseChatMessage]:
    """The messages that a run starts with.

    Raises:
        InvalidArgumentError: An empty list, or something that is no message.
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
            raise InvalidArgumentError("Task must be a string, a BaseChatMessage, or a list of BaseChatMessage.")


def _checked(task: Sequence[BaseChatMessage]) -> list[BaseChatMessage]:
    if not task:
        raise InvalidArgumentError("Task list cannot be empty.")
    if others_than(BaseChatMessage, task):
        raise InvalidArgumentError("All messages in task list must be valid BaseChatMessage types")
    return list(task)
