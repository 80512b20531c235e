"""The entries of a cache as text, and as the values that AutoGen's stores give back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from symposia.core.models import CreateResult

Items: TypeAlias = list[str | CreateResult]
"""The items of an answer: those of a stream, or a result alone."""

CHAT_CACHE_VALUE_TYPE: TypeAlias = CreateResult | list[str | CreateResult] | str
"""A value in a store: JSON text here; AutoGen puts results, and lists of the items of a stream."""

_LONGEST: Final = 200


class EntryError(ValueError):
    """A value of a store is not an answer."""


def write_entry(items: Sequence[str | CreateResult]) -> str:
    """The items of an answer as JSON: a list whose last member is the result.

    Text and not objects: what a hit gives is a new object each time, whatever the store does with values, no store has
    to pickle (to read a pickle is to run it), and an entry can be read by a later release.
    """
    return to_json(list(items), inf_nan_mode="constants").decode()


def read_entry(value: object) -> Items:
    """The items of the value of a store, as new objects, with `cached` set in the result.

    Raises:
        EntryError: It is something else.
    """
    try:
        given: object = from_json(value) if isinstance(value, str | bytes) else value
        items = given if isinstance(given, list) else [given]  # pyright: ignore[reportUnknownVariableType] - any value
        return [*_texts(items[:-1]), _result(items[-1])]  # pyright: ignore[reportUnknownArgumentType] - likewise
    except (ValueError, LookupError) as error:
        what = f"{error.error_count()} faults" if isinstance(error, ValidationError) else str(error)
        raise EntryError(f"{repr(value)[:_LONGEST]} is not an answer of a model ({what})") from error


def _texts(items: Sequence[object]) -> list[str]:
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) < len(items):
        raise ValueError("a piece of a stream is not a text")
    return texts


def _result(value: object) -> CreateResult:
    result = value.model_copy(deep=True) if isinstance(value, CreateResult) else CreateResult.model_validate(value)
    result.cached = True
    return result
