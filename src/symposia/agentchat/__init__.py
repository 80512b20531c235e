"""Agents that talk, and teams of them."""

EVENT_LOGGER_NAME = "symposia.agentchat.events"
"""Structured events, for programs."""

TRACE_LOGGER_NAME = "symposia.agentchat"
"""What happens inside, for people who debug."""

__all__ = ["EVENT_LOGGER_NAME", "TRACE_LOGGER_NAME"]
