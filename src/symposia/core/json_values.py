"""JSON values, of which requests and records of effects consist, and what is wrong with other values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain
from typing import Final, TypeAlias, cast

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import to_jsonable_python

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.text_limits import ends_of

__all__ = ["DEEPEST", "JsonObject", "as_json", "encodable", "json_in", "nests_deeper", "validation_faults"]

JsonObject: TypeAlias = dict[str, JsonValue]

DEEPEST: Final = 180
"""Levels of objects and lists in a value. Pydantic's parser stops at 200: so a record has room around the value."""

_FAULTS: Final = 10
_FAULT_LENGTH: Final = 300
"""Faults that are named, and characters of each. Together they stay below 4,000 characters, about 1,000 tokens,
whatever a model sends."""

_FENCE: Final = re.compile(r"```[\w-]*\s*\n(.*?)```", re.DOTALL)

_PLAIN: Final = frozenset({str, bool, float, type(None)})
_SHORT_INTEGER: Final = 2**64
"""Integers that are surely written and read; longer ones are tried."""


def as_json(values: Mapping[str, object], name: str) -> JsonObject:
    """The values as JSON, for a request that a journal can write and read back.

    A model class is its schema, since that is what a vendor is sent. Anything else that JSON cannot hold is the name of
    its class: its `repr` may contain an address, and would differ in the next process.

    Args:
        values: By name.
        name: What they are, for the text of an error.

    Raises:
        InvalidArgumentError: A value contains itself, nests deeper than `DEEPEST` or has an integer that Python does
            not write; the text names it.
    """
    return {_as_key(key): _value_as_json(value, key, name) for key, value in values.items()}


def encodable(text: str) -> str:
    """The text as an encoder takes it: two halves of a surrogate pair become their character, and a lone one U+FFFD.

    JSON can hold halves as escapes, so that models write them, and Python decodes names of files to them.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def nests_deeper(value: object, levels: int) -> bool:
    """Whether objects and lists nest deeper than a number of levels.

    It goes down level by level. A recursive walk was rejected: it fails at a depth that depends on the caller's stack.
    """
    layer = [value]
    for _ in range(levels + 1):
        layer = list(chain.from_iterable(map(_children, layer)))
        if not layer:
            return False
    return True


def validation_faults(error: ValidationError, whole: str) -> list[str]:
    """What is wrong with a value, each as "path: fault", for the model that wrote it.

    Ten faults are named, with 300 characters of each; the last line counts the others. The value is not quoted.

    Args:
        error: The error of the value's validation.
        whole: What the value is called, for a fault of all of it.
    """
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [
        f"{'.'.join(map(str, fault['loc'])) or whole}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in faults[:_FAULTS]
    ]
    if len(faults) > _FAULTS:
        lines.append(f"and {len(faults) - _FAULTS} more")
    # The path is at the beginning of a line, the message at its end.
    return [ends_of(line, _FAULT_LENGTH) for line in lines]


def json_in(text: str) -> str:
    """The JSON in an answer of a model: the whole text, the content of a fence, or from the first brace to the last."""
    text = text.strip()
    if text[:1] in ("{", "["):
        return text
    if (fence := _FENCE.search(text)) is not None:
        return fence[1].strip()
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text


def _value_as_json(value: object, key: str, name: str) -> JsonValue:
    # Nearly all arguments are one of these. The exact type is asked for, since a member of an enumeration of strings is
    # a string as well, and its JSON is not the member.
    if type(value) in _PLAIN or (type(value) is int and abs(value) < _SHORT_INTEGER):
        return cast("JsonValue", value)
    import json  # noqa: PLC0415 - only effects that are handled need it, and it takes a millisecond

    try:
        plain = to_jsonable_python(value, bytes_mode="base64", fallback=_stand_in)
        json.dumps(plain)  # refuses integers of more than 4,300 digits, which no parser takes
    except ValueError as error:
        raise _not_json(key, name, str(error)) from error
    if nests_deeper(plain, DEEPEST):
        raise _not_json(key, name, f"it nests deeper than {DEEPEST} levels")
    return plain


def _as_key(key: object) -> str:
    """A key as JSON writes it; programs put numbers and enumerations where a string belongs."""
    return key if type(key) is str else next(iter(to_jsonable_python({key: None}, fallback=_stand_in)))


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(cast("dict[str, object]", value).values())
    return cast("list[object]", value) if isinstance(value, list) else []


def _stand_in(value: object) -> object:
    kind = type(value)
    if issubclass(kind, type) and issubclass(schema := cast("type[object]", value), BaseModel):
        return schema.model_json_schema()
    return f"<{kind.__qualname__}>"


def _not_json(key: str, name: str, reason: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"{key!r} in {name} cannot be written as JSON: {reason}. Give it a plain value.")
