"""Failures of effects as JSON values, and back."""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import cast

from pydantic import BaseModel, JsonValue, TypeAdapter

from symposia.core.effects._results import plain_json
from symposia.core.exceptions import EffectFailedError, error_text


@cache
def _json_values() -> TypeAdapter[JsonValue]:
    return TypeAdapter(JsonValue)  # made when first needed: it would cost every import some milliseconds


class _Failure(BaseModel, defer_build=True):
    """A failure in a form for JSON.

    Attributes:
        type: The error's class, as ``module:qualified.name``.
        text: Its `str`.
        args: Its arguments, where all of them are JSON values.
        attributes: Those of its attributes that are JSON values.
        notes: Its notes.
    """

    type: str
    text: str
    args: list[JsonValue] | None = None
    attributes: dict[str, JsonValue]
    notes: list[str]


def encode_error(error: Exception) -> JsonValue:
    """An error as a JSON value, whatever the error holds. Its cause and its traceback are left out."""
    attributes = {name: value for name, value in vars(error).items() if name != "__notes__" and _is_json(value)}
    failure = _Failure(
        type=f"{type(error).__module__}:{type(error).__qualname__}",
        text=error_text(error),
        args=list(error.args) if _is_json(list(error.args)) else None,
        attributes=cast("dict[str, JsonValue]", attributes),
        notes=[str(note) for note in getattr(error, "__notes__", ())],
    )
    return plain_json(failure.model_dump(mode="json"))


def decode_error(value: JsonValue) -> Exception:
    """The error that `encode_error` was given: of the same class, where that can be made from JSON values.

    No module is imported and no constructor is called, so a record from elsewhere cannot run code. A class that is not
    loaded, or that cannot be made without its constructor, gives an `EffectFailedError`.
    """
    failure = _Failure.model_validate(value)
    error = _made_again(failure) or EffectFailedError(f"{failure.type}: {failure.text}", failure.type)
    for note in failure.notes:
        BaseException.add_note(error, note)  # not by the instance, whose attributes come from the record
    return error


def _made_again(failure: _Failure) -> Exception | None:
    error_class = _loaded_class(failure.type)
    if error_class is None or failure.args is None:
        return None
    try:
        error = error_class.__new__(error_class, *failure.args)
        error.args = tuple(failure.args)
        vars(error).update(failure.attributes)
        return error if str(error) == failure.text else None
    except Exception:  # noqa: BLE001 - code of any class: `__new__` with other arguments, a text of what is not in JSON
        return None


def _loaded_class(name: str) -> type[Exception] | None:
    module, _, path = name.partition(":")
    found: object = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, type) and issubclass(found, Exception) else None


def _is_json(value: object) -> bool:
    try:
        _json_values().validate_python(value, strict=True)
        json.dumps(value)
    except (ValueError, RecursionError):  # ValueError: of pydantic, and for numbers of thousands of digits
        return False
    return True
