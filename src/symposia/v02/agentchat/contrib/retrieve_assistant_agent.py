"""An assistant that is satisfied when its code has run."""

from __future__ import annotations

from typing import Any

from symposia.v02.agentchat.agent import Agent
from symposia.v02.agentchat.assistant_agent import AssistantAgent

__all__ = ["RetrieveAssistantAgent"]


class RetrieveAssistantAgent(AssistantAgent):
    """An assistant that ends the chat when it is told that its code has succeeded.

    Args:
        args: As of `AssistantAgent`.
        kwargs: As of `AssistantAgent`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: as of the base class
        super().__init__(*args, **kwargs)
        self.register_reply(Agent, RetrieveAssistantAgent._ends_after_success)

    def _ends_after_success(
        self,
        messages: list[dict[str, Any]] | None = None,
        sender: Agent | None = None,
        config: Any = None,  # noqa: ARG002 - of every reply function
    ) -> tuple[bool, str | None]:
        history = self._history(messages, sender)
        has_run = "exitcode: 0 (execution succeeded)" in str(history[-1].get("content", ""))
        return (True, "TERMINATE") if has_run else (False, None)
