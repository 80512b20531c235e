"""The arguments of a tool call: from the text that a model wrote to validated values.

Whatever is wrong with them is a `ToolArgumentsError`, whose text is meant for the model. Nothing that a model writes
into the arguments of a call ends a run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from symposia.core.exceptions import ToolArgumentsError
from symposia.core.json_values import DEEPEST, nests_deeper
from symposia.core.tools._tool import Tool, ToolSchema

Arguments: TypeAlias = dict[str, Any]  # Any: JSON values
ModelT = TypeVar("ModelT", bound=BaseModel)

_QUOTED: Final = 200
_FAULTS: Final = 10
_FAULT_LENGTH: Final = 300
"""Characters of the arguments that are quoted, faults that are named, and characters of each. Together they stay below
4,000 characters, about 1,000 tokens, whatever a model sends."""


def parse_tool_arguments(text: str, schema: ToolSchema) -> Arguments:
    """Parse the arguments of a call, as a model wrote them. A text of blanks is an empty object.

    The parser is pydantic's, not `json.loads`. It limits nesting to 200 levels and integers to 4,300 digits, and
    refuses half of a surrogate pair, all with a `ValueError`. `json.loads` raises `RecursionError` for deep nesting, at
    a depth that depends on the caller's stack, and lets surrogates pass, which no vendor's encoder takes later. Of
    equal keys the last one counts; ``NaN`` and ``Infinity`` are numbers: both as in AutoGen.

    Args:
        text: The `arguments` of a `FunctionCall`.
        schema: The tool's, which the text of an error quotes.

    Raises:
        ToolArgumentsError: They are not a JSON object, or nest deeper than `DEEPEST` levels: the record of
            a call is JSON around its arguments, and has to be readable too.
    """
    try:
        value: object = from_json(text) if text.strip() else {}
    except ValueError as error:
        raise _wrong(schema, f"That is not JSON: {error}. {_quoted(text)}") from error
    except TypeError as error:  # the text itself, not an escape in it, has half of a surrogate pair
        raise _wrong(schema, f"That is not JSON: it has characters that are not Unicode. {_quoted(text)}") from error
    if not isinstance(value, dict):
        raise _wrong(schema, f"That is not a JSON object. {_quoted(text)}")
    arguments = cast("Arguments", value)
    # Counting brackets takes less than 0.1 µs, and nearly all arguments have fewer of them than levels are allowed.
    if text.count("{") + text.count("[") > DEEPEST and nests_deeper(arguments, DEEPEST):
        raise _wrong(schema, f"That nests deeper than {DEEPEST} levels. {_quoted(text)}")
    return arguments


def validate_arguments(arguments: Mapping[str, Any], args_type: type[ModelT], tool: Tool) -> ModelT:
    """Validate parsed arguments.

    Raises:
        ToolArgumentsError: They do not fit `args_type`.
    """
    try:
        return args_type.model_validate(arguments)
    except ValidationError as error:
        raise _wrong(tool.schema, _faults(error)) from error


def _wrong(schema: ToolSchema, what: str) -> ToolArgumentsError:
    parameters = json.dumps(schema.get("parameters", {}), ensure_ascii=False)
    return ToolArgumentsError(
        f"Wrong arguments for the tool '{schema['name']}':\n{what}\nIts arguments are: {parameters}"
    )


def _quoted(text: str) -> str:
    """The beginning of the arguments, with escapes for what is not Unicode: this text goes back to the model."""
    shown = text[:_QUOTED].encode("utf-8", "backslashreplace").decode()
    return f"You wrote: {shown}{'…' if len(text) > _QUOTED else ''}"


def _faults(error: ValidationError) -> str:
    """Which argument is wrong, and what is wrong with it: a line for each fault."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [f"- {'.'.join(map(str, fault['loc'])) or 'arguments'}: {fault['msg']}" for fault in faults[:_FAULTS]]
    if len(faults) > _FAULTS:
        lines.append(f"- and {len(faults) - _FAULTS} more")
    return "\n".join(_shortened(line) for line in lines)


def _shortened(line: str) -> str:
    """The beginning and the end of a long line: the path is at its beginning, the message at its end."""
    if len(line) <= _FAULT_LENGTH:
        return line
    half = _FAULT_LENGTH // 2
    return f"{line[:half]} … {line[-half:]}"
