"""When the tools of a request are hidden from its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symposia.core.exceptions import ArgumentTypeError

__all__ = ["should_hide_tools"]


def should_hide_tools(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]] | None,
    hide_tools_param: str,  # Any: JSON
) -> bool:
    """Whether a model that would call tools for ever is not shown them.

    Args:
        messages: The conversation.
        tools: The tools.
        hide_tools_param: ``"never"``, ``"if_any_run"`` once one of the tools has run, or ``"if_all_run"`` once all of
            them have.

    Raises:
        ArgumentTypeError: It is none of these.
    """
    if hide_tools_param not in {"never", "if_any_run", "if_all_run"}:
        raise ArgumentTypeError(f"hide_tools is {hide_tools_param!r}: give 'never', 'if_any_run' or 'if_all_run'.")
    if hide_tools_param == "never" or not tools:
        return False
    names = {tool["function"]["name"] for tool in tools}
    results = {message.get("tool_call_id") for message in messages if message.get("role") == "tool"}
    run = {
        call["function"]["name"]
        for message in messages
        for call in message.get("tool_calls") or ()
        if call.get("id") in results
    }
    return bool(names & run) if hide_tools_param == "if_any_run" else names <= run
