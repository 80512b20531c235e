"""The conversations of an agent, one for each agent that it talks with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from symposia.v02.agentchat._messages import Message
from symposia.v02.agentchat.agent import Agent
from symposia.v02.io import IOStream


class Histories(defaultdict[Agent, list[Message]]):
    """The messages that were exchanged with each agent. The same exchange has mirrored roles on the other side.

    Args:
        owner: The name of the agent.
        messages: The conversations to begin with.
    """

    def __init__(self, owner: str, messages: Mapping[Agent, list[Message]] | None = None) -> None:
        super().__init__(list, messages or {})
        self._owner = owner

    def last_message(self, agent: Agent | None) -> Message | None:
        """The last message exchanged with an agent.

        Args:
            agent: The other agent; None for the only one, if there is only one.

        Raises:
            ValueError: No agent is given, and there are several conversations.
            KeyError: There is no conversation with the agent.
        """
        if agent is not None:
            if agent not in self:
                raise KeyError(
                    f"The agent '{agent.name}' is not present in any conversation. No history available for this agent."
                )
            return self[agent][-1]
        if len(self) > 1:
            raise ValueError("More than one conversation is found. Please specify the sender to get the last message.")
        return next(iter(self.values()))[-1] if self else None

    def forget(self, agent: Agent | None, keep: int | None) -> None:
        """Clear one conversation, or all of them.

        Args:
            agent: The other agent; None for all conversations.
            keep: How many of the last messages of all conversations are kept. The result of a tool is kept with its
                call, so it may be one more.
        """
        if agent is not None:
            self[agent].clear()
            if keep:
                IOStream.get_default().print(
                    "WARNING: `nr_preserved_messages` is ignored when clearing chat history with a specific agent."
                )
        elif not keep:
            self.clear()
        else:
            for messages in self.values():
                first = _first_kept(messages, keep)
                if len(messages) - first > keep:
                    IOStream.get_default().print(
                        f"Preserving one more message for {self._owner} to not divide history between tool call and "
                        "tool response."
                    )
                del messages[:first]


def _first_kept(messages: list[Message], keep: int) -> int:
    first = max(len(messages) - keep, 0)
    return first - 1 if first and first < len(messages) and "tool_responses" in messages[first] else first
