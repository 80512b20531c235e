"""The arguments of a tool that come with a JSON schema instead of a class.

The schema stays as it is: the model is shown it, and the arguments are checked against it. A class made of
the schema, field by field, was rejected: pydantic has no form of ``oneOf``, ``not``, ``if`` and much else, so that the
model would be shown less than the schema says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from types import new_class
from typing import Any, ClassVar, Final, cast

from pydantic import BaseModel, ConfigDict, JsonValue, model_validator
from typing_extensions import override

from symposia.core.exceptions import InvalidArgumentError, MissingExtraError
from symposia.ext.tools._bounded_validator import BoundedValidator, TooManyStepsError, fault_text

_MOST_FAULTS: Final = 5
"""Faults of one set of arguments that a model is told."""


class SchemaArguments(BaseModel, defer_build=True):
    """Arguments that a JSON schema describes: each is an attribute of the instance."""

    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True)
    json_schema: ClassVar[Mapping[str, JsonValue]] = {}
    validator: ClassVar[BoundedValidator | None] = None

    @classmethod
    @override
    def model_json_schema(cls, *args: object, **how: object) -> dict[str, Any]:
        """The schema, whole: pydantic's method for a part of one takes its references for pydantic's own."""
        return deepcopy(dict(cls.json_schema))

    @model_validator(mode="before")
    @classmethod
    def _check(cls, given: object) -> object:
        """Add the defaults of the schema, and check against it."""
        if not isinstance(given, Mapping):
            raise ValueError("the arguments are no object")  # noqa: TRY004 - pydantic makes its error of this one
        properties = cast("Mapping[str, JsonValue]", cls.json_schema.get("properties", {}))
        defaults = {
            name: deepcopy(each["default"])
            for name, each in properties.items()
            if isinstance(each, dict) and "default" in each
        }
        arguments = {**defaults, **cast("Mapping[str, object]", given)}
        try:
            faults = cls.validator.faults(arguments) if cls.validator is not None else []
        except RecursionError as error:
            raise ValueError("they cannot be checked: they, or the schema, nest without end") from error
        except TooManyStepsError as error:
            raise ValueError("they take too long to check: give fewer, or shorter ones") from error
        if faults:
            more = f"; and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
            raise ValueError("; ".join(faults[:_MOST_FAULTS]) + more)
        return arguments

    def given(self) -> dict[str, JsonValue]:
        """The arguments by name."""
        return dict(self.__pydantic_extra__ or {})


def _references(part: JsonValue) -> Iterator[str]:
    if isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str):
            yield reference
        for child in part.values():
            yield from _references(child)
    elif isinstance(part, list):
        for child in part:
            yield from _references(child)


def arguments_of_schema(name: str, schema: Mapping[str, JsonValue], feature: str, extra: str) -> type[SchemaArguments]:
    """A class of arguments from the JSON schema of an object.

    Args:
        name: The tool, for the name of the class and for errors.
        schema: The schema. References in it lead to its own ``$defs``.
        feature: What needs the library, for the error if it is missing.
        extra: The extra that brings it.

    Raises:
        InvalidArgumentError: The schema is not valid, or is no schema of an object.
        MissingExtraError: ``jsonschema`` is not installed.
    """
    try:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - an optional dependency
        from jsonschema.exceptions import SchemaError  # noqa: PLC0415 - an optional dependency
        from referencing.exceptions import Unresolvable  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise MissingExtraError(feature, extra) from error
    kept = deepcopy(dict(schema))
    if kept.setdefault("type", "object") != "object":
        raise InvalidArgumentError(
            f"The json_schema of the tool {name!r} has the type {kept['type']!r}: the arguments of a tool are an "
            'object, {"type": "object", "properties": {...}}.'
        )
    try:
        Draft202012Validator.check_schema(kept)
    except SchemaError as error:
        raise InvalidArgumentError(f"The json_schema of the tool {name!r} is not valid: {fault_text(error)}") from error
    validator = BoundedValidator(kept)
    try:
        validator.require_references(_references(kept))
    except Unresolvable as error:
        raise InvalidArgumentError(
            f"The json_schema of the tool {name!r} has a reference to nothing in it: {error.ref}"
        ) from error
    own: dict[str, object] = {
        "__module__": __name__,
        "__doc__": f"The arguments of the tool {name}.",
        "__annotations__": {"json_schema": ClassVar[Mapping[str, JsonValue]], "validator": ClassVar[BoundedValidator]},
        "json_schema": kept,
        "validator": validator,
    }
    # Named after the tool, since the errors of pydantic have the name.
    return new_class(f"{name}Args", (SchemaArguments,), exec_body=lambda namespace: namespace.update(own))
