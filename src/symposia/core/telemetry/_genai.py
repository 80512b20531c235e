"""The spans of agents and tools, by OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from symposia._lazy import lazy_module
from symposia.core._instantiation import AgentInstantiationContext
from symposia.core.telemetry._activity import Activity, Attributes, Kind, begin, begin_if_traced
from symposia.core.telemetry._providers import SCOPE, current_tracer
from symposia.core.telemetry.conventions import (
    AGENT_DESCRIPTION,
    AGENT_ID,
    AGENT_NAME,
    OPERATION,
    PROVIDER,
    SYSTEM,
    TOOL_CALL_ID,
    TOOL_DESCRIPTION,
    TOOL_NAME,
    TOOL_TYPE,
    WORKFLOW_NAME,
)

if TYPE_CHECKING:
    from opentelemetry import trace as otel
else:
    otel = lazy_module("opentelemetry.trace")


def agent_creation(name: str, description: str) -> Activity:
    """An agent is made."""
    return begin_if_traced(
        f"create_agent {name}", "CLIENT", lambda: _agent("create_agent", name, _id_being_made(), description)
    )


def agent_invocation(name: str, description: str, agent_id: str | None = None) -> Activity:
    """An agent answers.

    Args:
        name: Its name.
        description: Its abilities.
        agent_id: Its id in a runtime, if it lives in one.
    """
    return begin_if_traced(
        f"invoke_agent {name}", "INTERNAL", lambda: _agent("invoke_agent", name, agent_id, description)
    )


def workflow_invocation(name: str) -> Activity:
    """Several agents work together.

    Args:
        name: The name of the group.
    """
    return begin_if_traced(
        f"invoke_workflow {name}",
        "INTERNAL",
        lambda: {OPERATION: "invoke_workflow", PROVIDER: SYSTEM, WORKFLOW_NAME: name},
    )


def tool_execution(name: str, description: str | None, call_id: str | None) -> Activity:
    """A tool does its work."""
    return begin_if_traced(f"execute_tool {name}", "INTERNAL", lambda: _tool(name, description, call_id))


@contextmanager
def trace_create_agent_span(
    agent_name: str,
    *,
    tracer: otel.Tracer | None = None,
    parent: otel.Span | None = None,
    agent_id: str | None = None,
    agent_description: str | None = None,
) -> Generator[otel.Span]:
    """A span around code that makes an agent.

    Args:
        agent_name: What the agent is called.
        tracer: What makes the span, if not the program's tracer provider.
        parent: The span that it is shown below, if not the current one.
        agent_id: The agent's id; by default the one that a runtime is making an agent for, if it is.
        agent_description: What the agent can do.
    """
    attributes = _agent("create_agent", agent_name, agent_id or _id_being_made(), agent_description)
    with _current(tracer, f"create_agent {agent_name}", "CLIENT", attributes, parent) as span:
        yield span


@contextmanager
def trace_invoke_agent_span(
    agent_name: str,
    *,
    tracer: otel.Tracer | None = None,
    parent: otel.Span | None = None,
    agent_id: str | None = None,
    agent_description: str | None = None,
) -> Generator[otel.Span]:
    """A span around code in which an agent answers; the arguments are those of `trace_create_agent_span`."""
    attributes = _agent("invoke_agent", agent_name, agent_id, agent_description)
    with _current(tracer, f"invoke_agent {agent_name}", "INTERNAL", attributes, parent) as span:
        yield span


@contextmanager
def trace_tool_span(
    tool_name: str,
    *,
    tracer: otel.Tracer | None = None,
    parent: otel.Span | None = None,
    tool_description: str | None = None,
    tool_call_id: str | None = None,
) -> Generator[otel.Span]:
    """A span around code in which a tool does its work.

    Args:
        tool_name: What the tool is called.
        tracer: What makes the span, if not the program's tracer provider.
        parent: The span that it is shown below, if not the current one.
        tool_description: What the tool does.
        tool_call_id: The model's name for this call.
    """
    attributes = _tool(tool_name, tool_description, tool_call_id)
    with _current(tracer, f"execute_tool {tool_name}", "INTERNAL", attributes, parent) as span:
        yield span


@contextmanager
def _current(
    tracer: otel.Tracer | None, name: str, kind: Kind, attributes: Attributes, parent: otel.Span | None
) -> Generator[otel.Span]:
    from opentelemetry import trace  # noqa: PLC0415 - only when tracing is enabled

    context = None if parent is None else trace.set_span_in_context(parent)
    activity = begin(tracer or current_tracer() or trace.get_tracer(SCOPE), name, kind, attributes, context)
    with activity, activity.current():
        yield activity.span


def _agent(operation: str, name: str, agent_id: str | None, description: str | None) -> Attributes:
    return {
        OPERATION: operation,
        PROVIDER: SYSTEM,
        AGENT_NAME: name,
        AGENT_ID: agent_id,
        AGENT_DESCRIPTION: description,
    }


def _tool(name: str, description: str | None, call_id: str | None) -> Attributes:
    return {
        OPERATION: "execute_tool",
        PROVIDER: SYSTEM,
        TOOL_NAME: name,
        TOOL_TYPE: "function",
        TOOL_DESCRIPTION: description,
        TOOL_CALL_ID: call_id,
    }


def _id_being_made() -> str | None:
    """The id of the agent that a runtime is making here."""
    if not AgentInstantiationContext.is_in_factory_call():
        return None
    return str(AgentInstantiationContext.current_agent_id())
