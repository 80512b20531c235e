"""Checking values against JSON schemas in limited time, whoever wrote the schema.

``jsonschema`` matches patterns with Python's ``re``, of which ``^(a+)+$`` takes for ever; it follows references that
double the work with each step; and it compares each item of a list with each other. All that stops the event loop. So
its keywords are counted here, patterns are matched in linear time, and what cannot be is left to the server, which
checks its arguments itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache, lru_cache
from itertools import islice
from typing import Any, Final, TypeAlias, cast

from pydantic import JsonValue
from pydantic_core import SchemaError, SchemaValidator, core_schema

from symposia.core.text_limits import beginning_of, ends_of

_MOST_STEPS: Final = 50_000
"""Keywords that are applied to a value and its parts: half a second. A list of numbers needs one or two for each."""
_MOST_FAULTS: Final = 100
_LONGEST_FAULT: Final = 500
"""Faults of a value that are looked for, and characters of each: the library quotes the whole value."""

# Any, in this module: the classes of jsonschema, an optional dependency whose functions have no types.
_Keyword: TypeAlias = Callable[[Any, Any, Any, Any], Iterable[Any] | None]
"""The errors of a keyword: the validator, what the keyword is given, the value, the schema around it."""

_steps: ContextVar[list[int]] = ContextVar("_steps")


class TooManyStepsError(Exception):
    """A check has taken all its steps."""


class BoundedValidator:
    """Checks values against a schema of draft 2020-12, which is valid.

    ``unevaluatedItems``, ``unevaluatedProperties`` and patterns that cannot be matched in linear time are not checked.

    Args:
        schema: The schema. References lead to parts of it.
    """

    def __init__(self, schema: Mapping[str, JsonValue]) -> None:
        import referencing  # noqa: PLC0415 - an optional dependency

        # With a registry of its own, since by default the library fetches what a reference to another document names.
        registry: Any = cast("Any", referencing).Registry()
        self._validator = _validator_class()(_without_dialects(dict(schema)), registry=registry)

    def require_references(self, references: Iterable[str]) -> None:
        """Check that references lead somewhere.

        Raises:
            referencing.exceptions.Unresolvable: One does not.
        """
        for reference in references:
            self._validator._resolver.lookup(reference)  # noqa: SLF001 - the library has no other check

    def faults(self, value: object) -> list[str]:
        """What is wrong with a value, with the places; empty if nothing is.

        Raises:
            RecursionError: The value and the schema nest without end.
            TooManyStepsError: It takes too long.
        """
        token = _steps.set([_MOST_STEPS])
        try:
            return [fault_text(error) for error in islice(self._validator.iter_errors(value), _MOST_FAULTS)]
        finally:
            _steps.reset(token)


def fault_text(error: Any) -> str:
    """An error of jsonschema, with its place."""
    place = ".".join(str(part) for part in error.absolute_path)
    return f"{place}: {error.message}" if place else str(error.message)


@cache
def _validator_class() -> Any:
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415 - an optional dependency

    library: Any = validators
    known = cast("Mapping[str, _Keyword]", Draft202012Validator.VALIDATORS)
    own: dict[str, _Keyword] = {
        "additionalProperties": _additional_beside(known["additionalProperties"]),
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "unevaluatedItems": _unchecked,
        "unevaluatedProperties": _unchecked,
        "uniqueItems": _unique_items,
    }
    return library.extend(Draft202012Validator, {name: _counted(check) for name, check in {**known, **own}.items()})


def _spend(steps: int) -> None:
    left = _steps.get()
    left[0] -= steps
    if left[0] < 0:
        raise TooManyStepsError


def _counted(check: _Keyword) -> _Keyword:
    def run(validator: Any, given: Any, value: Any, schema: Any) -> Iterator[Any]:
        _spend(1)
        for error in check(validator, given, value, schema) or ():
            _spend(1 + len(error.message) // 1_000)
            error.message = ends_of(error.message, _LONGEST_FAULT)  # what is wrong stands behind the value
            yield error

    return run


def _without_dialects(schema: JsonValue) -> Any:
    """A schema without ``$schema``, for which the library would take a validator of its own."""
    if isinstance(schema, list):
        return [_without_dialects(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    # A property of that name is a schema, and no text. References may lead into data, too.
    kept = {name: each for name, each in schema.items() if name != "$schema" or not isinstance(each, str)}
    return {name: _without_dialects(each) for name, each in kept.items()}


@lru_cache(256)
def _compiled(pattern: str) -> SchemaValidator | None:
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern))  # of Rust, whose matching is linear
    except SchemaError:  # it looks ahead or back, refers to its groups, is too large, or is none
        return None


def _matches(pattern: object, text: str) -> bool | None:
    """Whether a text has a match of a pattern; None if that cannot be known in linear time."""
    compiled = _compiled(pattern) if isinstance(pattern, str) else None
    return None if compiled is None else compiled.isinstance_python(text)


def _fault(message: str) -> Any:
    from jsonschema import ValidationError  # noqa: PLC0415 - an optional dependency

    return ValidationError(message)


def _pattern(_validator: Any, given: Any, value: Any, _schema: Any) -> Iterator[Any]:
    if isinstance(value, str) and _matches(given, value) is False:
        yield _fault(f"{beginning_of(value, 100)!r} does not match {given!r}")


def _pattern_properties(validator: Any, given: Any, value: Any, _schema: Any) -> Iterator[Any]:
    if not isinstance(value, dict):
        return
    for pattern, schema in given.items():
        _spend(len(cast("dict[str, Any]", value)))
        for name, each in cast("dict[str, Any]", value).items():
            if _matches(pattern, name):
                yield from validator.descend(each, schema, path=name, schema_path=pattern)


def _additional_beside(check: _Keyword) -> _Keyword:
    """The check of additional properties, of which patterns say which they are."""

    def run(validator: Any, given: Any, value: Any, schema: Any) -> Iterable[Any] | None:
        patterns = schema.get("patternProperties")
        if not patterns or not isinstance(value, dict):
            return check(validator, given, value, schema)
        named = cast("dict[str, Any]", value)
        _spend(len(patterns) * len(named))
        left = {name: each for name, each in named.items() if all(_matches(one, name) is False for one in patterns)}
        return check(validator, given, left, {"properties": schema.get("properties", {})})

    return run


def _unique_items(_validator: Any, given: Any, value: Any, _schema: Any) -> Iterator[Any]:
    if given and isinstance(value, list):
        items = [json.dumps(each, sort_keys=True) for each in cast("list[Any]", value)]
        if len(set(items)) < len(items):
            yield _fault("it has an item more than once")


def _unchecked(_validator: Any, _given: Any, _value: Any, _schema: Any) -> None:
    return None
