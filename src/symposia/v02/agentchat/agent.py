"""The contracts of agents that send messages to each other."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from symposia.v02.agentchat._messages import Message

__all__ = ["Agent", "LLMAgent"]


@runtime_checkable
class Agent(Protocol):
    """Sends, receives and generates messages, each in a plain and in an asynchronous form.

    A message is a text, or a dict with `content`, `function_call` or `tool_calls`.
    """

    @property
    def name(self) -> str:
        """Names the agent in conversations."""
        ...

    @property
    def description(self) -> str:
        """Describes the agent to the speaker selection of a group chat."""
        ...

    def send(self, message: Message | str, recipient: Agent, request_reply: bool | None = None) -> None:
        """Send a message to another agent.

        Args:
            message: The message.
            recipient: Its recipient.
            request_reply: Whether the recipient replies; None leaves that to the recipient.
        """
        ...

    async def a_send(self, message: Message | str, recipient: Agent, request_reply: bool | None = None) -> None:
        """As `send`."""
        ...

    def receive(self, message: Message | str, sender: Agent, request_reply: bool | None = None) -> None:
        """Receive a message, and reply if a reply is requested.

        Args:
            message: The message.
            sender: Its sender.
            request_reply: Whether to reply; None leaves that to this agent.
        """
        ...

    async def a_receive(self, message: Message | str, sender: Agent, request_reply: bool | None = None) -> None:
        """As `receive`."""
        ...

    def generate_reply(
        self,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        **kwargs: object,
    ) -> str | Message | None:
        """Generate a reply to a conversation.

        Args:
            messages: The conversation; None for that with the sender.
            sender: The agent to which the reply goes.
            kwargs: Options of the agent.

        Returns:
            The reply. None ends the conversation.
        """
        ...

    async def a_generate_reply(
        self,
        messages: list[Message] | None = None,
        sender: Agent | None = None,
        **kwargs: object,
    ) -> str | Message | None:
        """As `generate_reply`."""
        ...


@runtime_checkable
class LLMAgent(Agent, Protocol):
    """An agent with a system message for its model."""

    @property
    def system_message(self) -> str:
        """The instructions of the model."""
        ...

    def update_system_message(self, system_message: str) -> None:
        """Replace the instructions of the model.

        Args:
            system_message: The new instructions.
        """
        ...
