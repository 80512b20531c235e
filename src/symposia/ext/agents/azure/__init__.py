"""Agents that Azure AI Foundry runs."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.ext.agents.azure._agent import AzureAIAgent
else:
    __getattr__, __dir__ = lazy_names(__name__, {"_agent": ["AzureAIAgent"]})

__all__ = ["AzureAIAgent"]
