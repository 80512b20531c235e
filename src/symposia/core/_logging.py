"""The names of the loggers."""

ROOT_LOGGER_NAME = "symposia.core"
"""Everything else that the runtime has to say."""

EVENT_LOGGER_NAME = "symposia.core.events"
"""Structured events, for programs."""

TRACE_LOGGER_NAME = "symposia.core.trace"
"""What happens inside, for people who debug."""
