"""Agents that exchange chat messages, and teams of them."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names

EVENT_LOGGER_NAME = "symposia.agentchat.events"
"""Structured events, for programs."""

TRACE_LOGGER_NAME = "symposia.agentchat"
"""The logger of internal steps, for debugging."""

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["EVENT_LOGGER_NAME", "TRACE_LOGGER_NAME"]
