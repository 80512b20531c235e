"""Agents that OpenAI's service runs: over the Responses API, and over the Assistants API."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.ext.agents.openai._assistant_agent import OpenAIAssistantAgent
    from symposia.ext.agents.openai._assistant_client import OpenAIAssistantClient
    from symposia.ext.agents.openai._responses_agent import OpenAIAgent, OpenAIAgentConfig
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_assistant_agent": ["OpenAIAssistantAgent"],
            "_assistant_client": ["OpenAIAssistantClient"],
            "_responses_agent": ["OpenAIAgent", "OpenAIAgentConfig"],
        },
    )

__all__ = ["OpenAIAgent", "OpenAIAgentConfig", "OpenAIAssistantAgent", "OpenAIAssistantClient"]
