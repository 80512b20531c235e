"""Objects as JSON for a log, without credentials."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from symposia.v02._secrets import is_secret

__all__ = ["get_current_ts", "to_dict"]


def get_current_ts() -> str:
    """This moment in UTC, as ``2026-01-31 09:30:00.000000``."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def to_dict(obj: object, exclude: tuple[str, ...] = (), no_recursive: tuple[type, ...] = ()) -> Any:  # Any: JSON
    """An object as JSON: its attributes, and of what has none, its text.

    Args:
        obj: The object.
        exclude: Names of attributes and keys to leave out, on every level.
        no_recursive: Classes whose objects are written as text.
    """
    return _as_json(obj, lambda name: name in exclude, no_recursive, ())


def as_logged(obj: object) -> Any:  # Any: JSON
    """An object as JSON, without credentials and addresses, and without the object that is described."""
    return _as_json(obj, lambda name: is_secret(name) or name in {"self", "__class__"}, (), ())


def text_of(obj: object) -> str:
    """The text of `as_logged`."""
    return json.dumps(as_logged(obj))


def _as_json(
    obj: object, is_left_out: Callable[[object], bool], no_recursive: tuple[type, ...], above: tuple[int, ...]
) -> Any:  # Any: JSON
    if obj is None or isinstance(obj, str | int | float | bool):
        return obj
    if id(obj) in above or isinstance(obj, no_recursive):  # an agent may refer to itself
        return repr(obj)
    above = (*above, id(obj))

    def each(value: object) -> Any:  # Any: JSON
        return _as_json(value, is_left_out, no_recursive, above)

    if isinstance(obj, Mapping):
        items = cast("Mapping[object, object]", obj).items()
        return {str(key): each(value) for key, value in items if not is_left_out(key)}
    if isinstance(obj, list | tuple | set | frozenset):
        return [each(value) for value in cast("list[object]", obj)]
    if callable(obj):
        return getattr(obj, "__qualname__", repr(obj))
    if callable(dump := getattr(obj, "model_dump", None)):
        return each(dump())
    if hasattr(obj, "__dict__"):
        return {name: each(value) for name, value in vars(obj).items() if not is_left_out(name)}
    return str(obj)
