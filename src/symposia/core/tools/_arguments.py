"""The arguments of a tool: their JSON schema, as vendors require it, and those of a model's call, validated.

Vendors require a schema without references where these can be avoided, and closed objects where the schema is strict.
Every fault of a model's arguments is a `ToolArgumentsError`, whose text is written for the model. No arguments of a
call end a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Final, TypeAlias, TypeVar, cast
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from symposia.core.exceptions import ToolArgumentsError
from symposia.core.json_values import DEEPEST, JsonObject, nests_deeper
from symposia.core.tools._tool import ParametersSchema, Tool, ToolSchema

Schema: TypeAlias = dict[str, object]
ModelT = TypeVar("ModelT", bound=BaseModel)

_QUOTED: Final = 200
_FAULTS: Final = 10
_FAULT_LENGTH: Final = 300
"""Characters of the arguments that are quoted, faults that are named, and characters of each. Together they stay below
4,000 characters, about 1,000 tokens, whatever a model sends."""


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
        raise _wrong(tool.schema, _faults(error)) from error


def _wrong(schema: ToolSchema, what: str) -> ToolArgumentsError:
    import json  # noqa: PLC0415 - only programs with tools need it, and it takes a millisecond

    parameters = json.dumps(schema.get("parameters", {}), ensure_ascii=False)
    return ToolArgumentsError(
        f"Wrong arguments for the tool '{schema['name']}':\n{what}\nIts arguments are: {parameters}"
    )


def _quoted(text: str) -> str:
    """The beginning of the arguments for the error to the model, with escapes for what is not Unicode."""
    shown = text[:_QUOTED].encode("utf-8", "backslashreplace").decode()
    return f"You wrote: {shown}{'…' if len(text) > _QUOTED else ''}"


def _faults(error: ValidationError) -> str:
    """The wrong arguments and their faults, one line for each fault."""
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


_PREFIX: Final = "#/$defs/"

_schemas: Final[MutableMapping[type[BaseModel], dict[bool, str]]] = WeakKeyDictionary()
"""The schemas of each class of arguments as JSON, by whether they are strict. Pydantic takes some 300 µs to make one,
which a service that makes its agents for each request would pay for each tool of each request."""


def parameters_schema(args_type: type[BaseModel], *, strict: bool) -> ParametersSchema:
    """The schema of a class of arguments: derived once for a class, and a new object for each caller.

    A shared object would save parsing, 3 µs, but programs edit the schemas of their tools, to hide an argument for one
    agent, and would edit those of all other agents with it.

    Raises:
        pydantic.errors.PydanticUserError: The class has a field of a type that JSON cannot give.
    """
    return cast("ParametersSchema", from_json(_schema_text(args_type, strict=strict)))


def check_parameters(args_type: type[BaseModel], *, strict: bool) -> None:
    """Check that a class of arguments has a schema; see `parameters_schema`.

    Raises:
        pydantic.errors.PydanticUserError: The class has a field of a type that JSON cannot give.
    """
    _schema_text(args_type, strict=strict)


def _schema_text(args_type: type[BaseModel], *, strict: bool) -> str:
    known = _schemas.get(args_type)
    if known is None:
        known = _schemas[args_type] = {}
    if strict not in known:
        import json  # noqa: PLC0415 - as above

        known[strict] = json.dumps(_derive(args_type, strict=strict))
    return known[strict]


def _derive(args_type: type[BaseModel], *, strict: bool) -> Schema:
    schema = inline_references(args_type.model_json_schema())
    if strict:
        schema = close_objects(schema)
    parameters: Schema = {
        "type": "object",
        "properties": schema.get("properties", {}),
        "required": schema.get("required", []),
        "additionalProperties": schema.get("additionalProperties", False),
    }
    if "$defs" in schema:
        parameters["$defs"] = schema["$defs"]
    return parameters


def inline_references(schema: Mapping[str, object]) -> Schema:
    """Put each definition in the place of the references to it.

    Definitions that contain themselves cannot be, and stay in ``$defs``. Keys beside a reference win over the
    definition's own. The schema given is not changed.
    """
    # Some vendors take no references at all, others none beside a description, so all are put in place that can be. One
    # that leads back to itself would never end: it stays, with its definition, for the vendors that take it.
    definitions = cast("dict[str, Schema]", schema.get("$defs", {}))
    recursive = {name for name in definitions if _reaches(name, name, definitions, set())}

    def inline(part: Schema) -> Schema:
        name = _referenced(part)
        if name is None or name in recursive or name not in definitions:
            return _map_children(part, inline)
        beside = {key: value for key, value in part.items() if key != "$ref"}
        return _map_children(definitions[name] | beside, inline)

    inlined = inline({key: value for key, value in schema.items() if key != "$defs"})
    if recursive:
        inlined["$defs"] = {name: _map_children(definitions[name], inline) for name in definitions if name in recursive}
    return inlined


def close_objects(schema: Mapping[str, object]) -> Schema:
    """Require every property of every object and forbid all others, as strict vendors demand.

    Objects that define their additional properties, such as dictionaries, stay open.
    """

    def close(part: Schema) -> Schema:
        closed = _map_children(part, close)
        if "properties" in part and part.get("type") == "object":
            closed.setdefault("additionalProperties", False)
            closed["required"] = list(cast("Schema", part["properties"]))
        return closed

    return close(dict(schema))


def _referenced(part: Schema) -> str | None:
    reference = part.get("$ref")
    return reference.removeprefix(_PREFIX) if isinstance(reference, str) else None


def _reaches(start: str, goal: str, definitions: Mapping[str, Schema], seen: set[str]) -> bool:
    """Whether following references from the definition `start` leads to `goal`."""
    for name in _references(definitions[start]):
        if name == goal:
            return True
        if name in definitions and name not in seen:
            seen.add(name)
            if _reaches(name, goal, definitions, seen):
                return True
    return False


def _references(part: object) -> set[str]:
    found: set[str] = set()

    def collect(child: Schema) -> Schema:
        name = _referenced(child)
        if name is not None:
            found.add(name)
        return _map_children(child, collect)

    collect(cast("Schema", part))
    return found


def _map_children(part: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """Apply `change` to the schemas directly inside `part`, and to nothing that only looks like one."""
    changed: Schema = {}
    for key, value in part.items():
        if key in _MAPS_OF_SCHEMAS and isinstance(value, dict):
            changed[key] = {name: change(child) for name, child in cast("dict[str, Schema]", value).items()}
        elif key in _SCHEMAS and isinstance(value, dict):
            changed[key] = change(cast("Schema", value))
        elif key in _LISTS_OF_SCHEMAS and isinstance(value, list):
            changed[key] = [change(child) for child in cast("list[Schema]", value)]
        else:
            changed[key] = value
    return changed


_MAPS_OF_SCHEMAS = {"properties", "patternProperties", "$defs", "dependentSchemas"}
_LISTS_OF_SCHEMAS = {"anyOf", "allOf", "oneOf", "prefixItems"}
_SCHEMAS = {
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedItems",
}
