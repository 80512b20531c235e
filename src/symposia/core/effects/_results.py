"""The results of effects: their class, and how they are written as JSON."""

from __future__ import annotations

import json
import math
from functools import cached_property
from numbers import Real
from typing import Generic, Protocol, TypeVar, cast, get_origin

from pydantic import JsonValue, TypeAdapter
from typing_extensions import is_typeddict

from symposia.core.json_values import encodable

ResultT = TypeVar("ResultT")


class ResultCodec(Protocol[ResultT]):
    """Turns results into JSON values and back."""

    def encode(self, result: ResultT) -> JsonValue:
        """The result as a JSON value."""
        ...

    def decode(self, value: JsonValue) -> ResultT:
        """The result that `encode` was given."""
        ...


class PydanticCodec(Generic[ResultT]):
    """The codec of every type that pydantic can validate."""

    def __init__(self, result_type: type[ResultT]) -> None:
        self._type = result_type

    @cached_property
    def _adapter(self) -> TypeAdapter[ResultT]:
        return TypeAdapter(self._type)

    def encode(self, result: ResultT) -> JsonValue:
        return cast("JsonValue", self._adapter.dump_python(result, mode="json"))

    def decode(self, value: JsonValue) -> ResultT:
        return self._adapter.validate_json(json.dumps(value))


def class_of(type_: object) -> type | None:
    """The class of all values of a type; None where no class says it, as of unions and of `Any`."""
    origin = get_origin(type_) or type_
    if not isinstance(origin, type) or is_typeddict(origin) or getattr(origin, "_is_protocol", False):
        return None
    return Real if origin is float else origin  # an int is a float to type checkers


def plain_json(value: JsonValue) -> JsonValue:
    """The value without what Python's JSON has and other readers refuse.

    Lone surrogates, which a model can write as escapes, become U+FFFD. The numbers that JSON lacks become the texts
    ``NaN``, ``Infinity`` and ``-Infinity``, which pydantic reads as numbers where it expects them.
    """
    try:  # for nearly all values the C encoder says in one pass that there is nothing to replace
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:  # UnicodeEncodeError too
        return _replaced(value)
    return value


_NO_JSON_NUMBERS = {math.inf: "Infinity", -math.inf: "-Infinity"}


def _replaced(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return encodable(value)
        case float() if not math.isfinite(value):
            return _NO_JSON_NUMBERS.get(value, "NaN")
        case list():
            return [_replaced(each) for each in value]
        case dict():
            return {str(_replaced(key)): _replaced(each) for key, each in value.items()}
        case _:
            return value
