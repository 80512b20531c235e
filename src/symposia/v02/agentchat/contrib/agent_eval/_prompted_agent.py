"""An agent with a task of its own, which its class describes to the model."""

from __future__ import annotations

from typing import Any, ClassVar

from symposia.v02.agentchat.conversable_agent import ConversableAgent


class PromptedAgent(ConversableAgent):
    """An agent whose name, instructions and description are those of its class, unless others are given.

    Args:
        name: See `ConversableAgent`.
        system_message: See `ConversableAgent`.
        description: See `ConversableAgent`.
        kwargs: See `ConversableAgent`.
    """

    DEFAULT_NAME: ClassVar[str]
    DEFAULT_SYSTEM_MESSAGE: ClassVar[str]
    DEFAULT_DESCRIPTION: ClassVar[str]

    def __init__(
        self,
        name: str | None = None,
        system_message: str | None = None,
        description: str | None = None,
        **kwargs: Any,  # Any: see `ConversableAgent`
    ) -> None:
        super().__init__(
            name=name or self.DEFAULT_NAME,
            system_message=self.DEFAULT_SYSTEM_MESSAGE if system_message is None else system_message,
            description=self.DEFAULT_DESCRIPTION if description is None else description,
            **kwargs,
        )
