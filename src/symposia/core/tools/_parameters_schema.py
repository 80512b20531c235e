"""The JSON schemas of tools' parameters, as vendors require them.

Vendors require a schema without references where these can be avoided, and closed objects where the schema is strict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from graphlib import TopologicalSorter
from typing import Final, NamedTuple, TypeAlias, cast
from weakref import WeakKeyDictionary

from pydantic import BaseModel
from pydantic_core import from_json

from symposia.core.tools._tool import ParametersSchema

Schema: TypeAlias = dict[str, object]

_PREFIX: Final = "#/$defs/"
_MAPS_OF_SCHEMAS: Final = {"properties", "patternProperties", "$defs", "dependentSchemas"}
_LISTS_OF_SCHEMAS: Final = {"anyOf", "allOf", "oneOf", "prefixItems"}
_CHILD_SCHEMAS: Final = {
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
"""The keywords of JSON Schema whose values are schemas: by name, in a list, or one. Everything else is data."""

_MOST_PARTS: Final = 10_000
_DEEPEST: Final = 100
"""The most schemas in a schema, and in one another, with all references put in place. A larger one keeps them: where
each of 40 definitions refers to the next one twice, it would have 10^12."""

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
        import json  # noqa: PLC0415 - only programs with tools need it, and it takes a millisecond

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

    Definitions that contain themselves cannot be, and stay in ``$defs``; so do all if the result would be too large.
    Keys beside a reference win over the definition's own. The schema given is not changed.
    """
    # Some vendors take no references at all, others none beside a description, so all are put in place that can be. One
    # that leads back to itself would never end: it stays, with its definition, for the vendors that take it.
    given = cast("dict[str, object]", schema.get("$defs", {}))
    definitions = {name: cast("Schema", each) for name, each in given.items() if isinstance(each, dict)}
    if len(definitions) > _MOST_PARTS:
        return dict(schema)
    references = {name: set(_references(each)) & definitions.keys() for name, each in definitions.items()}
    recursive = {name for name in definitions if _reaches_itself(name, references)}
    if not _is_small(schema, definitions, references, recursive):
        return dict(schema)

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


def _reaches_itself(start: str, references: Mapping[str, set[str]]) -> bool:
    """Whether following the references of a definition leads back to it."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        new = references[waiting.pop()] - seen
        if start in new:
            return True
        seen |= new
        waiting += new
    return False


class _Size(NamedTuple):
    """How many schemas a schema consists of, and how many are in one another."""

    parts: int
    depth: int


def _is_small(
    schema: Mapping[str, object],
    definitions: Mapping[str, Schema],
    references: Mapping[str, set[str]],
    recursive: set[str],
) -> bool:
    """Whether a schema is small enough with all definitions in place but the recursive ones."""
    placed = {name: references[name] - recursive for name in definitions if name not in recursive}
    sizes: dict[str, _Size] = {}
    for name in TopologicalSorter(placed).static_order():  # the definitions that it contains are before it
        sizes[name] = _size(definitions[name], sizes)
    whole = [_size({key: value for key, value in schema.items() if key != "$defs"}, sizes)]
    whole += [_size(definitions[name], sizes) for name in recursive]
    return sum(each.parts for each in whole) <= _MOST_PARTS and max(each.depth for each in whole) <= _DEEPEST


def _size(part: Schema, sizes: Mapping[str, _Size]) -> _Size:
    inside = [_size(child, sizes) for child in _children(part)]
    placed = sizes.get(_referenced(part) or "")
    if placed is not None:
        inside.append(placed)
    return _Size(1 + sum(each.parts for each in inside), 1 + max((each.depth for each in inside), default=0))


def _references(part: Schema) -> Iterator[str]:
    name = _referenced(part)
    if name is not None:
        yield name
    for child in _children(part):
        yield from _references(child)


def _children(part: Schema) -> Sequence[Schema]:
    """The schemas directly inside a schema."""
    children: list[Schema] = []
    _map_children(part, lambda child: children.append(child) or child)
    return children


def _map_children(part: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """Apply `change` to the schemas directly inside `part`, and to nothing that only looks like one."""

    def schema_of(child: object) -> object:  # a schema may be True or False, too
        return change(cast("Schema", child)) if isinstance(child, dict) else child

    changed: Schema = {}
    for key, value in part.items():
        if key in _MAPS_OF_SCHEMAS and isinstance(value, dict):
            changed[key] = {name: schema_of(child) for name, child in cast("dict[str, object]", value).items()}
        elif key in _CHILD_SCHEMAS and isinstance(value, dict):
            changed[key] = schema_of(cast("Schema", value))
        elif key in _LISTS_OF_SCHEMAS and isinstance(value, list):
            changed[key] = [schema_of(child) for child in cast("list[object]", value)]
        else:
            changed[key] = value
    return changed
