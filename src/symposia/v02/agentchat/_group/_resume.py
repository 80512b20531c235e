"""The messages of a group chat that is to go on: read, checked, and without what ended it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from symposia.core.exceptions import UsageError
from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.conversable_agent import ConversableAgent


@dataclass(frozen=True)
class GroupState:
    """Where a group chat goes on.

    Attributes:
        messages: Its messages.
        last_speaker: The agent that spoke last.
    """

    messages: list[Message]
    last_speaker: ConversableAgent

    @classmethod
    def of(cls, messages: list[Message], agents: Sequence[Agent], manager: ConversableAgent) -> GroupState:
        """Check messages, and find the agent that spoke last.

        Raises:
            UsageError: There are none, or an agent that is not in the group chat has sent one.
        """
        if not messages:
            raise UsageError(
                "Cannot resume group chat as no messages were provided. Use GroupChatManager.run_chat or "
                "ConversableAgent.initiate_chat to start a new chat."
            )
        by_name = {agent.name: agent for agent in reversed(agents)} | {manager.name: manager}
        for message in messages:
            if message.get("name", manager.name) not in by_name:
                raise UsageError(f"Agent name in message doesn't exist as agent in group chat: {message['name']}")
        messages = [message if "name" in message else {**message, "name": manager.name} for message in messages]
        return cls(messages, cast("ConversableAgent", by_name[messages[-1]["name"]]))


def read_messages(messages: list[Message] | str) -> list[Message]:
    """Messages, or those of their JSON.

    Raises:
        UsageError: They are something else.
    """
    if isinstance(messages, str):
        try:
            return cast("list[Message]", json.loads(messages))
        except ValueError:
            raise UsageError("Messages string is not a valid JSON string") from None
    if not isinstance(cast("object", messages), list):
        raise UsageError("Messages is not of type str or List[Dict]")
    return [dict(message) for message in messages]


def without_termination(message: Message, cut: str | Callable[[str], str] | None) -> Message:
    """A message without the text that ended a chat.

    Args:
        message: The message.
        cut: The text, or a function that returns the text of the message without it; None to leave it.
    """
    content = message.get("content")
    if cut is None or not isinstance(content, str):
        return message
    return {**message, "content": content.replace(cut, "") if isinstance(cut, str) else cut(content)}
