"""Agents that exchange chat messages, and teams of them."""

EVENT_LOGGER_NAME = "symposia.agentchat.events"
"""Structured events, for programs."""

TRACE_LOGGER_NAME = "symposia.agentchat"
"""The logger of internal steps, for debugging."""

__all__ = ["EVENT_LOGGER_NAME", "TRACE_LOGGER_NAME"]
