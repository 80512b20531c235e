"""The names of the loggers."""

from __future__ import annotations

ROOT_LOGGER_NAME = "symposia.core"
"""All other messages of the runtime."""

EVENT_LOGGER_NAME = "symposia.core.events"
"""Structured events, for programs."""

TRACE_LOGGER_NAME = "symposia.core.trace"
"""The logger of internal steps, for debugging."""
