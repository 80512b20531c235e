"""What model clients of programs use: options that are checked, tools that are hidden, and a format of logs."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from symposia._program_line import level_outside
from symposia.core.exceptions import ArgumentTypeError

__all__ = ["logger_formatter", "should_hide_tools", "validate_parameter"]

logger_formatter: Final = logging.Formatter(
    "[%(name)s: %(asctime)s] {%(lineno)d} %(levelname)s - %(message)s", "%m-%d %H:%M:%S"
)


def validate_parameter(
    params: Mapping[str, Any],  # Any: of a configuration
    param_name: str,
    allowed_types: type | tuple[type, ...],
    allow_None: bool,  # noqa: N803 - AutoGen's name
    default_value: Any,
    numerical_bound: tuple[float | None, float | None] | None,
    allowed_values: Sequence[Any] | None,
) -> Any:  # Any: as of a configuration
    """An option of a configuration, or its default, with a warning, where it is not allowed.

    Args:
        params: The configuration.
        param_name: The option.
        allowed_types: What it may be an instance of.
        allow_None: Whether it may be None.
        default_value: Its default.
        numerical_bound: The least and the greatest number that it may be; None where there is no such bound.
        allowed_values: The values that it may be; None for all.
    """
    value = params.get(param_name, default_value)
    if value is None and allow_None:
        return None
    if value is None:
        wrong = "cannot be None"
    elif not isinstance(value, allowed_types):
        kinds = allowed_types if isinstance(allowed_types, tuple) else (allowed_types,)
        names = ", ".join(kind.__name__ for kind in kinds)
        wrong = f"must be of type {f'({names})' if isinstance(allowed_types, tuple) else names}"
    elif numerical_bound is not None and (bounds := _broken_bounds(cast("float", value), *numerical_bound)):
        wrong = f"has numerical bounds, {bounds}"
    elif allowed_values is not None and value not in allowed_values:
        wrong = f"must be one of these values [{allowed_values}]"
    else:
        return value
    text = f"Config error - {param_name} {wrong}, defaulting to {default_value}."
    warnings.warn(text, UserWarning, stacklevel=level_outside(2))
    return default_value


def _broken_bounds(value: float, least: float | None, most: float | None) -> str:
    """The bounds in words, if a value is outside of them."""
    is_inside = (least is None or value >= least) and (most is None or value <= most)
    bounds = [f"{sign} {bound}" for sign, bound in ((">=", least), ("<=", most)) if bound is not None]
    return "" if is_inside else " and ".join(bounds)


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
