"""From a JSON schema to a pydantic model that takes what the schema takes.

Formats that pydantic has no type for, and keywords that it cannot check, are left out: the model may take more than the
schema does, and never less.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Any, Final, ForwardRef, Literal, TypeAlias, Union, cast
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from symposia.core._field_names import field_names
from symposia.core.exceptions import InvalidArgumentError

Schema: TypeAlias = Mapping[str, Any]  # Any: JSON, whose shape the keywords of JSON Schema say
TypeForm: TypeAlias = Any
"""The annotation of a field: no type of today's checkers holds classes, unions, literals and `Annotated` alike."""

_FORMATS: Final[Mapping[str, object]] = {
    "date": date,
    "date-time": datetime,
    "duration": timedelta,
    "ipv4": IPv4Address,
    "ipv6": IPv6Address,
    "time": time,
    "uuid": UUID,
}
_SCALARS: Final[Mapping[str, object]] = {"boolean": bool, "integer": int, "null": None, "number": float, "string": str}
_SIZES: Final = {"minLength": "min_length", "maxLength": "max_length", "pattern": "pattern"}
_RANGES: Final = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
}
_CONSTRAINTS: Final[Mapping[str, Mapping[str, str]]] = {
    "array": {"minItems": "min_length", "maxItems": "max_length"},
    "integer": _RANGES,
    "number": _RANGES,
    "string": _SIZES,
}


def schema_to_pydantic_model(schema: dict[str, Any], model_name: str = "GeneratedModel") -> type[BaseModel]:
    """Make a model class of the JSON schema of an object.

    Properties that are not required and have no default may be None. A property whose name pydantic keeps for itself
    becomes ``field_<name>``, and has its own name in JSON and dumps.

    Args:
        schema: May refer to its own ``$defs``, in circles too.
        model_name: The name of the class.

    Raises:
        InvalidArgumentError: It is not the schema of an object, it has a reference that leads nowhere, or it nests too
            deeply.
    """
    try:
        return _Converter(schema).convert(model_name)
    except RecursionError as error:
        raise InvalidArgumentError(f"The schema of {model_name} nests too deeply, or contains itself.") from error


class _Converter:
    """One conversion: each definition becomes one class, however often it is referred to.

    A definition may contain itself, through others too. So while a class is made, references to it become a
    `ForwardRef` of its name, and in the end every class is rebuilt with all names known. To make the classes in the
    order of their dependencies was rejected: there is no such order in a circle.
    """

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._models: dict[str, type[BaseModel]] = {}
        self._aliases: dict[str, TypeForm] = {}
        self._targets: dict[str, Schema] = {}
        self._open: set[str] = set()

    def convert(self, name: str) -> type[BaseModel]:
        schema = self._merged(self._resolved(self._root))
        if not _is_object(schema) and schema.keys() - {"$defs", "definitions"}:
            raise InvalidArgumentError(f"A model is made of the schema of an object; this one is {_show(schema)}.")
        model = self._model(schema, name)
        for made in (*self._models.values(), model):
            made.model_rebuild(_types_namespace=self._models)
        return model

    def _model(self, schema: Schema, name: str) -> type[BaseModel]:
        properties = cast("Mapping[str, Schema]", schema.get("properties", {}))
        required = set(cast("Sequence[str]", schema.get("required", ())))
        fields = field_names(list(properties))
        definitions: dict[str, Any] = {
            field: self._field(properties[key], key, field, f"{name}_{key}", is_required=key in required)
            for key, field in fields.items()
        }
        config = ConfigDict(
            title=schema.get("title"),
            extra="forbid" if schema.get("additionalProperties") is False else None,
            populate_by_name=True,
            serialize_by_alias=True,
            protected_namespaces=(),
            regex_engine="python-re",  # the default engine lacks what ECMA's expressions have, such as lookahead
        )
        return create_model(name, __config__=config, __doc__=schema.get("description"), **definitions)

    def _field(self, schema: Schema, key: str, field: str, path: str, *, is_required: bool) -> tuple[TypeForm, object]:
        kind = self._type(schema, path)
        about: dict[str, Any] = {"title": schema.get("title"), "description": schema.get("description")}
        if field != key:
            about["alias"] = key
        if "default" in schema:
            return kind, Field(default=schema["default"], **about)
        if is_required:
            return kind, Field(**about)
        return _union([kind, None]), Field(default=None, **about)

    def _type(self, schema: Schema | bool, path: str) -> TypeForm:
        if isinstance(schema, bool):
            return Any
        if "$ref" in schema:
            return self._referenced(cast("str", schema["$ref"]), path)
        if "const" in schema:
            return _one_of([schema["const"]])
        if "enum" in schema:
            return _one_of(schema["enum"])
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return _union([self._type(part, f"{path}_{n}") for n, part in enumerate(schema[key])])
        if "allOf" in schema:
            return self._type(self._merged(schema), path)
        if _is_object(schema):
            return self._object(schema, path)
        return self._plain(schema, path)

    def _plain(self, schema: Schema, path: str) -> TypeForm:
        kind = schema.get("type")
        if kind is None:
            return Any
        if isinstance(kind, list):
            return _union([self._type({**schema, "type": one}, path) for one in cast("list[str]", kind)])
        if kind == "array":
            items = self._type(schema.get("items", True), f"{path}_item")
            return _constrained(list[items], kind, schema)
        if kind not in _SCALARS:
            raise InvalidArgumentError(f"There is no JSON type {kind!r}, as in {_show(schema)}.")
        if kind == "string" and schema.get("format") in _FORMATS:
            return _FORMATS[cast("str", schema["format"])]
        return _constrained(_SCALARS[kind], kind, schema)

    def _object(self, schema: Schema, path: str) -> TypeForm:
        if schema.get("properties"):
            return self._model(schema, path)
        values = self._type(schema.get("additionalProperties", True), f"{path}_value")
        return dict[str, values]

    def _referenced(self, reference: str, path: str) -> TypeForm:
        schema = self._target(reference)
        name = _class_name(reference)
        if name in self._models:
            return self._models[name]
        if not schema.get("properties"):
            return self._alias(reference, schema, path)
        if name in self._open:
            return ForwardRef(name)
        self._open.add(name)
        self._models[name] = self._model(schema, name)
        return self._models[name]

    def _alias(self, reference: str, schema: Schema, path: str) -> TypeForm:
        """The type of a definition that is no model; a circle of such cannot be said in types, and takes anything."""
        if reference in self._open:
            return Any
        if reference not in self._aliases:
            self._open.add(reference)
            self._aliases[reference] = self._type(schema, path)
            self._open.discard(reference)
        return self._aliases[reference]

    def _target(self, reference: str) -> Schema:
        """What a reference leads to, with its ``allOf`` folded in: once, as several may refer to it at each step."""
        if reference not in self._targets:
            self._targets[reference] = self._merged(self._resolved({"$ref": reference}))
        return self._targets[reference]

    def _resolved(self, schema: Schema) -> Schema:
        """The schema that a chain of references leads to."""
        seen: set[str] = set()
        while "$ref" in schema:
            reference = cast("str", schema["$ref"])
            found = None if reference in seen else _look_up(self._root, reference)
            if found is None:
                raise InvalidArgumentError(f"The reference {reference!r} leads nowhere in {_show(self._root)}.")
            seen.add(reference)
            schema = found
        return schema

    def _merged(self, schema: Schema) -> Schema:
        """The schema with its ``allOf`` folded in: all properties together, and the last word on everything else."""
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for part in cast("Sequence[Schema]", schema.get("allOf", ())):
            addition = self._target(part["$ref"]) if "$ref" in part else self._merged(part)
            properties = {**merged.get("properties", {}), **addition.get("properties", {})}
            required = list(dict.fromkeys([*merged.get("required", ()), *addition.get("required", ())]))
            merged = {**addition, **merged}
            if properties:
                merged |= {"type": "object", "properties": properties, "required": required}
        return merged


def _is_object(schema: Schema) -> bool:
    return schema.get("type") == "object" or ("type" not in schema and "properties" in schema)


def _look_up(root: Schema, reference: str) -> Schema | None:
    """Follow a JSON pointer from the root."""
    here: object = root
    for step in reference.removeprefix("#").split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(here, Mapping) or key not in here:
            return None
        here = cast("Mapping[str, object]", here)[key]
    return cast("Schema", here) if isinstance(here, Mapping) else None


def _class_name(reference: str) -> str:
    path = reference.removeprefix("#/$defs/").removeprefix("#/definitions/")
    return "".join(letter if letter.isalnum() else "_" for letter in path)


def _union(kinds: Sequence[TypeForm]) -> TypeForm:
    return Union[tuple(kinds)]  # noqa: UP007 - a reference forward is a string, which has no `|`


def _one_of(values: Sequence[object]) -> TypeForm:
    # `Literal` takes no floats, lists and objects, which an ``enum`` may list; those are compared by a validator.
    if all(value is None or isinstance(value, str | int) for value in values):
        return Literal[tuple(values)]
    return Annotated[Any, AfterValidator(_member_of(values)), WithJsonSchema({"enum": list(values)})]


def _member_of(values: Sequence[object]) -> Callable[[object], object]:
    def check(value: object) -> object:
        if value not in values:
            raise ValueError(f"must be one of {_show(values)}")
        return value

    return check


def _constrained(kind: TypeForm, name: str, schema: Schema) -> TypeForm:
    limits = {ours: schema[theirs] for theirs, ours in _CONSTRAINTS.get(name, {}).items() if theirs in schema}
    return Annotated[kind, Field(**limits)] if limits else kind


def _show(schema: object) -> str:
    return json.dumps(schema, ensure_ascii=False, default=str)[:200]
