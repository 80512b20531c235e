"""The JSON schemas of servers: values are checked against them in a limited number of steps.

A server writes both the schema and the value. ``jsonschema``, which the SDK uses, matches the patterns of the schema,
of which one such as ``^(a+)+$`` takes for ever and stops every thread; it follows references that double the work with
each step; and its errors quote the whole value, once for each part of an ``anyOf``. So the keywords that take time in
proportion to the value are checked here. Others are not, and neither is a keyword whose own value is of a wrong kind:
the check may take more than the schema does, and never less.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from operator import ge, gt, le, lt
from typing import Final, TypeAlias
from urllib.parse import unquote

from pydantic import JsonValue

Schema: TypeAlias = Mapping[str, JsonValue]

_STEPS_AT_ONCE: Final = 5_000
"""Steps that are taken in the event loop: some milliseconds. What needs more is checked in a thread."""
_MOST_STEPS: Final = 5_000_000
"""Some seconds. The longest answer, of 16 MiB, has fewer parts unless it is made to have more."""

_ROOT: Final = "it"
_QUOTED: Final = 80
"""Characters of a name that an error quotes."""
_SCHEMAS_BY_NAME: Final = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})
_VALUES: Final = frozenset({"const", "default", "enum", "examples"})


class TooManyStepsError(Exception):
    """A check has taken all its steps."""


async def find_mismatch(value: JsonValue, schema: JsonValue) -> str | None:
    """Why a value is not as a schema says, as a clause; None if it is, as far as that is checked."""
    try:
        return mismatch(value, schema, _STEPS_AT_ONCE)
    except TooManyStepsError:
        pass
    try:
        return await asyncio.to_thread(mismatch, value, schema, _MOST_STEPS)
    except TooManyStepsError:
        return "it takes too long to check"


def mismatch(value: JsonValue, schema: JsonValue, most_steps: int) -> str | None:
    """The same as `find_mismatch`, at once.

    Raises:
        TooManyStepsError: It takes more steps.
    """
    try:
        return _Check(schema, most_steps).fault(value, schema, _ROOT)
    except RecursionError:
        return "it or its schema nests too deeply to be checked"


def without_patterns(schema: JsonValue) -> JsonValue:
    """A schema without the regular expressions in it.

    Raises:
        RecursionError: It nests too deeply.
    """
    if isinstance(schema, list):
        return [without_patterns(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, JsonValue] = {}
    for keyword, given in schema.items():
        if keyword in {"pattern", "patternProperties"}:
            continue
        if keyword == "additionalProperties" and "patternProperties" in schema:
            continue  # the expressions say which properties are additional
        if keyword in _SCHEMAS_BY_NAME and isinstance(given, dict):
            kept[keyword] = {name: without_patterns(each) for name, each in given.items()}
        else:
            kept[keyword] = given if keyword in _VALUES else without_patterns(given)
    return kept


class _Check:
    """A check of one value.

    Args:
        root: The schema in which references are looked up.
        steps: The most keywords that are applied.
    """

    def __init__(self, root: JsonValue, steps: int) -> None:
        self._root = root
        self._left = steps

    def fault(self, value: JsonValue, schema: JsonValue, place: str) -> str | None:
        """The first fault of the value at `place`, as a clause.

        Raises:
            TooManyStepsError: There are no steps left.
        """
        if schema is False:
            return f"{place} is not allowed"
        if not isinstance(schema, dict):
            return None
        self.spend(1 + len(schema))
        for keyword, given in schema.items():
            check = _KEYWORDS.get(keyword)
            fault = None if check is None else check(self, value, given, schema, place)
            if fault is not None:
                return fault
        return None

    def spend(self, steps: int) -> None:
        """Count steps.

        Raises:
            TooManyStepsError: There are not so many left.
        """
        self._left -= steps
        if self._left < 0:
            raise TooManyStepsError

    def resolve(self, reference: str) -> JsonValue:
        """What a reference leads to; True, which allows everything, if that is not in this schema."""
        if reference != "#" and not reference.startswith("#/"):
            return True
        here: JsonValue = self._root
        for step in unquote(reference).split("/")[1:]:
            self.spend(1)
            key = step.replace("~1", "/").replace("~0", "~")
            if isinstance(here, list):
                here = {str(at): each for at, each in enumerate(here)}
            if not isinstance(here, dict) or key not in here:
                return True
            here = here[key]
        return here


_Keyword: TypeAlias = Callable[[_Check, JsonValue, JsonValue, Schema, str], str | None]
"""Applies a keyword: the check, the value, what the keyword is given, the schema around it, the place of the value."""


_TYPES: Final[Mapping[str, Callable[[JsonValue], bool]]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _number(value) is not None and (not isinstance(value, float) or value.is_integer()),
    "null": lambda value: value is None,
    "number": lambda value: _number(value) is not None,
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


def _type(check: _Check, value: JsonValue, given: JsonValue, _schema: Schema, place: str) -> str | None:
    names = [each for each in (given if isinstance(given, list) else [given]) if isinstance(each, str)]
    check.spend(len(names))
    if not names or any(name not in _TYPES or _TYPES[name](value) for name in names):
        return None
    found = next(name for name, is_type in _TYPES.items() if is_type(value))
    return f"{place} is of the type {found}, and not {' or '.join(names[:5])}"


def _enum(check: _Check, value: JsonValue, given: JsonValue, _schema: Schema, place: str) -> str | None:
    if not isinstance(given, list):
        return None
    check.spend(len(given))
    is_listed = any(each == value and isinstance(each, bool) == isinstance(value, bool) for each in given)
    return None if is_listed else f"{place} is none of the values that are allowed"


def _const(check: _Check, value: JsonValue, given: JsonValue, schema: Schema, place: str) -> str | None:
    return _enum(check, value, [given], schema, place)


def _required(check: _Check, value: JsonValue, given: JsonValue, _schema: Schema, place: str) -> str | None:
    if not isinstance(value, dict) or not isinstance(given, list):
        return None
    check.spend(len(given))
    missing = next((name for name in given if isinstance(name, str) and name not in value), None)
    return None if missing is None else f"{place} lacks {missing[:_QUOTED]!r}"


def _properties(check: _Check, value: JsonValue, given: JsonValue, _schema: Schema, place: str) -> str | None:
    if not isinstance(value, dict) or not isinstance(given, dict):
        return None
    check.spend(len(given))
    named = ((name, each) for name, each in given.items() if name in value)
    return _first(check.fault(value[name], each, _inside(place, name)) for name, each in named)


def _additional(check: _Check, value: JsonValue, given: JsonValue, schema: Schema, place: str) -> str | None:
    if not isinstance(value, dict) or "patternProperties" in schema:
        return None
    check.spend(len(value))
    known = schema.get("properties")
    names = value.keys() - known.keys() if isinstance(known, dict) else value.keys()
    return _first(check.fault(value[name], given, _inside(place, name)) for name in names)


def _items(check: _Check, value: JsonValue, given: JsonValue, schema: Schema, place: str) -> str | None:
    if not isinstance(value, list):
        return None
    if isinstance(given, list):  # until the draft of 2019, this is what `prefixItems` is today
        return _prefix(check, value, given, schema, place)
    prefix = schema.get("prefixItems")
    first = len(prefix) if isinstance(prefix, list) else 0
    check.spend(len(value))
    return _first(check.fault(value[at], given, f"{place}[{at}]") for at in range(first, len(value)))


def _prefix(check: _Check, value: JsonValue, given: JsonValue, _schema: Schema, place: str) -> str | None:
    if not isinstance(value, list) or not isinstance(given, list):
        return None
    return _first(check.fault(*each, f"{place}[{at}]") for at, each in enumerate(zip(value, given, strict=False)))


def _all(check: _Check, value: JsonValue, given: JsonValue, _schema: Schema, place: str) -> str | None:
    parts = given if isinstance(given, list) else []
    return _first(check.fault(value, each, place) for each in parts)


def _any(check: _Check, value: JsonValue, given: JsonValue, _schema: Schema, place: str) -> str | None:
    parts = given if isinstance(given, list) else []
    faults: list[str] = []
    for part in parts:
        fault = check.fault(value, part, place)
        if fault is None:
            return None
        faults.append(fault)
    return f"{place} is none of the forms that are allowed: {'; '.join(faults[:3])}" if faults else None


def _ref(check: _Check, value: JsonValue, given: JsonValue, _schema: Schema, place: str) -> str | None:
    return check.fault(value, check.resolve(given), place) if isinstance(given, str) else None


def _limit(
    size: Callable[[JsonValue], float | None], is_within: Callable[[float, float], bool], words: str
) -> _Keyword:
    """A keyword that limits a size of those values that have it."""

    def apply(_check: _Check, value: JsonValue, given: JsonValue, _schema: Schema, place: str) -> str | None:
        found = size(value)
        if found is None or isinstance(given, bool) or not isinstance(given, (int, float)) or is_within(found, given):
            return None
        return f"{place} {words} {given}"

    return apply


def _number(value: JsonValue) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _length(value: JsonValue) -> int | None:
    return len(value) if isinstance(value, str) else None


def _count(value: JsonValue) -> int | None:
    return len(value) if isinstance(value, list) else None


_KEYWORDS: Final[Mapping[str, _Keyword]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "prefixItems": _prefix,
    "allOf": _all,
    "anyOf": _any,
    "oneOf": _any,  # a value may be of several forms by what is checked, and of one by what is not
    "$ref": _ref,
    "minimum": _limit(_number, ge, "is less than"),
    "maximum": _limit(_number, le, "is more than"),
    "exclusiveMinimum": _limit(_number, gt, "is not more than"),
    "exclusiveMaximum": _limit(_number, lt, "is not less than"),
    "minLength": _limit(_length, ge, "has fewer characters than"),
    "maxLength": _limit(_length, le, "has more characters than"),
    "minItems": _limit(_count, ge, "has fewer items than"),
    "maxItems": _limit(_count, le, "has more items than"),
}


def _first(faults: Iterator[str | None]) -> str | None:
    return next((fault for fault in faults if fault is not None), None)


def _inside(place: str, name: str) -> str:
    return f"{'' if place == _ROOT else f'{place}.'}{name[:_QUOTED]}"
