"""Watching a program: spans of OpenTelemetry, and events of a logger.

Programs need nothing of this: they set a tracer provider, or a handler on the logger `EVENT_LOGGER_NAME`. It is for
those who write model clients, agents and runtimes of their own. Nothing here costs anything, changes anything or
imports OpenTelemetry while nobody listens.
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
    from symposia.core.telemetry._listening import (
        captures_content,
        events_are_read,
        listening_tracer,
        log_event,
        somebody_listens,
        tracer_provider,
        tracing_by,
    )
    from symposia.core.telemetry._payload import as_json
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
            "_listening": [
                "captures_content",
                "events_are_read",
                "listening_tracer",
                "log_event",
                "somebody_listens",
                "tracer_provider",
                "tracing_by",
            ],
            "_payload": ["as_json"],
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
    "as_json",
    "begin",
    "begin_if_traced",
    "captures_content",
    "events_are_read",
    "listening_tracer",
    "log_event",
    "somebody_listens",
    "tool_execution",
    "trace_create_agent_span",
    "trace_invoke_agent_span",
    "trace_tool_span",
    "tracer_provider",
    "tracing_by",
    "workflow_invocation",
]
