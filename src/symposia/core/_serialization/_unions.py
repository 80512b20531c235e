"""Which unions JSON can hold: those whose members do not look alike in it.

JSON says of a value that it is a string, not whether that was a ``bytes`` or a ``str``. Read back, such a value would
become whichever fits first. So a union is taken if its members are of different kinds in JSON, as those of
``int | str`` and ``Point | None`` are, or if a field of theirs tells them apart.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Annotated, Any, Literal, Union

from pydantic import Discriminator, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.fields import FieldInfo


def ambiguous_union(hint: Any) -> object | None:
    """A union, in a type or in the dataclasses that it holds, with members that look alike in JSON.

    Returns:
        The first such union; None if there is none.

    Raises:
        PydanticUserError: A member is of a type that JSON cannot hold.
        NameError: An annotation cannot be read.
    """
    return _search(hint, set())


def _search(hint: Any, seen: set[type]) -> object | None:
    if typing.get_origin(hint) is Annotated and any(map(_tells_apart, typing.get_args(hint)[1:])):
        return None
    if _is_union(hint) and _look_alike(typing.get_args(hint)):
        return hint
    inside = list(typing.get_args(hint))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint not in seen:
        seen.add(hint)
        inside += typing.get_type_hints(hint, include_extras=True).values()
    return next((found for part in inside if (found := _search(part, seen)) is not None), None)


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (Union, types.UnionType)


def _tells_apart(note: object) -> bool:
    return isinstance(note, Discriminator) or (isinstance(note, FieldInfo) and note.discriminator is not None)


def _look_alike(members: tuple[Any, ...]) -> bool:
    members = tuple(member for member in members if member is not type(None))
    return len(members) > 1 and len({_kind(member) for member in members}) < len(members)


def _kind(member: Any) -> object:
    """What a value is in JSON; the type itself where any answer will do."""
    if member is Any or typing.get_origin(member) is Literal:
        return member  # the same value, whichever of the members it is read as
    try:
        schema = TypeAdapter(member).json_schema(mode="serialization")
    except PydanticInvalidForJsonSchema:
        return member
    if "$ref" in schema:
        schema = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema.get("type", member)
