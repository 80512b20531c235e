"""JSON schemas of answers, and of the arguments of tools, as strict vendors take them.

The rules are those of OpenAI's guide "Structured model outputs", section "Supported schemas", and of the errors of its
API: the root is an object; all fields are required, and there are no others; ``anyOf`` is the only union; there are no
defaults; nothing stands beside a ``$ref``. The SDK's own `pydantic_function_tool` was rejected: it leaves ``oneOf``,
which pydantic writes for unions with a discriminator, and defaults, and the API refuses both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TypeAlias, cast

from pydantic import BaseModel

Schema: TypeAlias = dict[str, object]

NAME_LIMIT: Final = 64
_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9_-]+")
_DEFINITIONS: Final = "#/$defs/"
_LEFT_OUT: Final = frozenset({"default", "discriminator"})


@lru_cache(maxsize=256)
def strict_format(model: type[BaseModel]) -> dict[str, object]:
    """The form of answers that keep strictly to the schema of a model, in Chat Completions."""
    named = {"name": schema_name(model), "schema": strict_schema(model), "strict": True}
    return {"type": "json_schema", "json_schema": named}


def schema_name(model: type[BaseModel]) -> str:
    """The name of a model as vendors take it: that of a generic one has brackets."""
    return _NOT_IN_NAMES.sub("_", model.__name__).strip("_")[:NAME_LIMIT] or "answer"


def strict_schema(model: type[BaseModel]) -> Schema:
    """The schema of a model, in which everything is required.

    What strict vendors cannot be told stays as it is and is refused by them in their own words: objects of any keys,
    values of any type, and a root that is no object. A tuple becomes a list of as many values of any of its types.
    """
    return strict_parameters(model.model_json_schema())


def strict_parameters(schema: Mapping[str, object]) -> Schema:
    """The schema of a tool's arguments, likewise."""
    writer = _StrictWriter(cast("Mapping[str, Schema]", schema.get("$defs", {})))
    return cast("Schema", writer.write(dict(schema)))


class _StrictWriter:
    """Writes the parts of a schema.

    Args:
        definitions: The parts that others refer to, by name.
        inlined: Those that are being written in the place of a reference.
    """

    def __init__(self, definitions: Mapping[str, Schema], inlined: frozenset[str] = frozenset()) -> None:
        self._definitions = definitions
        self._inlined = inlined

    def write(self, part: object) -> object:
        if not isinstance(part, dict):  # True, which is any value
            return part
        schema = cast("Schema", part)
        name = str(schema.get("$ref", "")).removeprefix(_DEFINITIONS)
        if len(schema) == 1 or name not in self._definitions:
            return self._closed(schema)
        if name in self._inlined:  # it has a description inside of itself: there is no end to writing it in place
            return {"$ref": schema["$ref"]}
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        inside = _StrictWriter(self._definitions, self._inlined | {name})
        return inside.write({**self._definitions[name], **beside})

    def _closed(self, schema: Schema) -> Schema:
        strict: Schema = {}
        for key, value in schema.items():
            if key not in _LEFT_OUT:
                strict |= self._keyword(key, value)
        if isinstance(fields := strict.get("properties"), dict):
            strict |= {"required": list(cast("Schema", fields)), "additionalProperties": False}
        elif strict.get("type") == "object":
            strict.setdefault("additionalProperties", False)
        return strict

    def _keyword(self, key: str, value: object) -> Schema:
        match key, value:
            case "$defs", dict():  # at the root alone, which may itself be a reference
                definitions = _StrictWriter(self._definitions)
                return {key: {name: definitions.write(part) for name, part in cast("Schema", value).items()}}
            case "properties", dict():
                return {key: {name: self.write(part) for name, part in cast("Schema", value).items()}}
            case ("anyOf" | "oneOf", list()):
                return {"anyOf": list(map(self.write, cast("list[object]", value)))}
            case "prefixItems", list():
                parts = list(map(self.write, cast("list[object]", value)))
                return {"items": {"anyOf": [part for place, part in enumerate(parts) if part not in parts[:place]]}}
            case "allOf", list() if len(parts := cast("list[object]", value)) == 1:
                return cast("Schema", self.write(parts[0]))
            case (("items" | "additionalProperties"), _):
                return {key: self.write(value)}
            case _:
                return {key: value}
