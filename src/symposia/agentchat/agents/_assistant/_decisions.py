"""Which of the calls that a model asks for are made, and what the others are told instead.

Pure: the calls are judged here, and made elsewhere. The rule for handoffs: the first one in the order of the calls is
made, all others of that answer are refused; tools beside a handoff are called as ever.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from symposia.agentchat.agents._assistant._toolbox import Toolbox
from symposia.agentchat.base import Handoff
from symposia.core import FunctionCall
from symposia.core.exceptions import ToolArgumentsError
from symposia.core.models import FunctionExecutionResult
from symposia.core.tools import Workbench, parse_tool_arguments

Arguments: TypeAlias = dict[str, Any]  # Any: JSON


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call that will be made."""

    call: FunctionCall
    workbench: Workbench
    arguments: Arguments


Decision: TypeAlias = ToolUse | FunctionExecutionResult
"""What becomes of a call: a use, or at once a result that says why not."""


def decide(calls: Sequence[FunctionCall], toolbox: Toolbox, handoffs: Collection[str]) -> list[Decision]:
    """Judge the calls of one answer, in their order.

    Args:
        calls: What the model asks for.
        toolbox: What it may ask for.
        handoffs: The names of those tools that hand off.
    """
    first = next((call for call in calls if call.name in handoffs), None)
    return [
        _decide(call, toolbox)
        if first is None or call is first or call.name not in handoffs
        else _too_late(call, first)
        for call in calls
    ]


def made_handoff(
    calls: Sequence[FunctionCall], results: Sequence[FunctionExecutionResult], handoffs: Mapping[str, Handoff]
) -> tuple[Handoff, FunctionExecutionResult] | None:
    """The handoff that the calls of one answer made, if any, with its result."""
    for call, result in zip(calls, results, strict=True):
        if call.name in handoffs and not result.is_error:
            return handoffs[call.name], result
    return None


def refusal(call: FunctionCall, reason: str) -> FunctionExecutionResult:
    """The result of a call that was not made, or not to its end."""
    return FunctionExecutionResult(content=reason, name=call.name, call_id=call.id, is_error=True)


def _decide(call: FunctionCall, toolbox: Toolbox) -> Decision:
    schema = toolbox.schema(call.name)
    if schema is None:
        names = ", ".join(each["name"] for each in toolbox.schemas) or "none"
        return refusal(call, f"There is no tool '{call.name}'. The tools are: {names}.")
    try:
        return ToolUse(call, toolbox.workbenches[call.name], parse_tool_arguments(call.arguments, schema))
    except ToolArgumentsError as error:
        return refusal(call, str(error))


def _too_late(call: FunctionCall, first: FunctionCall) -> FunctionExecutionResult:
    return refusal(call, f"'{call.name}' was not done: one answer can hand off once, and '{first.name}' came first.")
