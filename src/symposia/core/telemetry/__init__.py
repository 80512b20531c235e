"""Observing a program: spans of OpenTelemetry, and events of a logger.

Programs set a tracer provider, or a handler on the logger `EVENT_LOGGER_NAME`, and need nothing else. This package is
for authors of model clients, agents and runtimes. While neither tracing nor logging is enabled, it costs nothing and
does not import OpenTelemetry.
"""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.core.telemetry._activity import (
        UNTRACED,
        Activity,
        Attributes,
        Kind,
        TracedActivity,
        begin,
        begin_if_traced,
    )
    from symposia.core.telemetry._genai import (
        agent_creation,
        agent_invocation,
        tool_execution,
        trace_create_agent_span,
        trace_invoke_agent_span,
        trace_tool_span,
        workflow_invocation,
    )
    from symposia.core.telemetry._payload import json_text
    from symposia.core.telemetry._providers import (
        captures_content,
        current_tracer,
        events_are_read,
        is_observed,
        log_event,
        tracer_provider,
        tracing_by,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_activity": ["UNTRACED", "Activity", "Attributes", "Kind", "TracedActivity", "begin", "begin_if_traced"],
            "_genai": [
                "agent_creation",
                "agent_invocation",
                "tool_execution",
                "trace_create_agent_span",
                "trace_invoke_agent_span",
                "trace_tool_span",
                "workflow_invocation",
            ],
            "_providers": [
                "captures_content",
                "events_are_read",
                "current_tracer",
                "log_event",
                "is_observed",
                "tracer_provider",
                "tracing_by",
            ],
            "_payload": ["json_text"],
        },
    )

__all__ = [
    "UNTRACED",
    "Activity",
    "Attributes",
    "Kind",
    "TracedActivity",
    "agent_creation",
    "agent_invocation",
    "begin",
    "begin_if_traced",
    "captures_content",
    "current_tracer",
    "events_are_read",
    "is_observed",
    "json_text",
    "log_event",
    "tool_execution",
    "trace_create_agent_span",
    "trace_invoke_agent_span",
    "trace_tool_span",
    "tracer_provider",
    "tracing_by",
    "workflow_invocation",
]
