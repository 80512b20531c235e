"""The arguments of a model's call of a tool: parsed and validated.

Every fault of them is a `ToolArgumentsError`, whose text is written for the model. No arguments of a call end a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from symposia.core.exceptions import ToolArgumentsError
from symposia.core.json_values import DEEPEST, JsonObject, nests_deeper, validation_faults
from symposia.core.text_limits import beginning_of
from symposia.core.tools._tool import Tool, ToolSchema

ModelT = TypeVar("ModelT", bound=BaseModel)

_QUOTED: Final = 200
"""Characters of the arguments that an error quotes."""


def parse_tool_arguments(text: str, schema: ToolSchema) -> JsonObject:
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
    arguments = cast("JsonObject", value)
    # Counting brackets takes less than 0.1 µs, and nearly all arguments have fewer of them than levels are allowed.
    if text.count("{") + text.count("[") > DEEPEST and nests_deeper(arguments, DEEPEST):
        raise _wrong(schema, f"That nests deeper than {DEEPEST} levels. {_quoted(text)}")
    return arguments


def validate_arguments(arguments: Mapping[str, object], args_type: type[ModelT], tool: Tool) -> ModelT:
    """Validate parsed arguments.

    Raises:
        ToolArgumentsError: They do not fit `args_type`.
    """
    try:
        return args_type.model_validate(arguments)
    except ValidationError as error:
        raise _wrong(tool.schema, "\n".join(f"- {fault}" for fault in validation_faults(error, "arguments"))) from error


def _wrong(schema: ToolSchema, what: str) -> ToolArgumentsError:
    import json  # noqa: PLC0415 - only programs with tools need it, and it takes a millisecond

    parameters = json.dumps(schema.get("parameters", {}), ensure_ascii=False)
    return ToolArgumentsError(
        f"Wrong arguments for the tool '{schema['name']}':\n{what}\nIts arguments are: {parameters}"
    )


def _quoted(text: str) -> str:
    """The beginning of the arguments for the error to the model, with escapes for what is not Unicode."""
    return f"You wrote: {beginning_of(text, _QUOTED).encode('utf-8', 'backslashreplace').decode()}"
