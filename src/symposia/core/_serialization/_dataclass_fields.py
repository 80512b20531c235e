"""How the fields of a dataclass are checked, and which of them JSON can hold so that they come back as they were.

Imported when the first dataclass is written or read: what it uses of pydantic takes 40 ms to import, and programs of
one process never need it.

JSON says of a value that it is a string, not whether that was a ``bytes`` or a ``str``. Read back, such a value would
become whichever fits first. So a union is taken if its members are of different kinds in JSON, as those of
``int | str`` and ``Point | None`` are, or if a field of theirs tells them apart.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, TypeAlias, Union

from pydantic import ConfigDict, Discriminator, RootModel, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError
from pydantic.fields import FieldInfo
from typing_extensions import TypedDict

from symposia.core._serialization._serializer import full_name
from symposia.core.exceptions import MessageSerializationError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record: TypeAlias = RootModel[dict[str, Any]]  # Any: a message's fields may hold anything


def record_of(cls: type[DataclassInstance]) -> type[Record]:
    """A model of the arguments of a dataclass's constructor.

    Not the dataclass itself: pydantic would build it without its constructor, and would not take a configuration.

    Raises:
        MessageSerializationError: A field is of a type that JSON cannot hold, or not so that it comes back as it was.
    """
    try:
        return _record_of(cls)
    except (PydanticUserError, NameError) as error:
        raise _no_field_type(cls, error) from error


def _record_of(cls: type[DataclassInstance]) -> type[Record]:
    hints = typing.get_type_hints(cls, include_extras=True)
    arguments = [field for field in dataclasses.fields(cls) if field.init]
    for field in arguments:
        union = _ambiguous_union(hints[field.name])
        if union is not None:
            raise _ambiguous(cls, field.name, union)
    typed = {field.name: _hint(field, hints[field.name]) for field in arguments}
    fields: Any = TypedDict(cls.__name__, typed)  # pyright: ignore[reportArgumentType] - known only at run time

    class Fields(RootModel[fields]):
        # What is written can be read: no number becomes null, and any bytes are text.
        model_config = ConfigDict(ser_json_inf_nan="constants", ser_json_bytes="base64", val_json_bytes="base64")

    Fields.model_rebuild()  # says so now if a class inside has annotations that cannot be read
    return Fields


def _hint(field: dataclasses.Field[Any], hint: Any) -> Any:
    if field.default is None:
        hint = typing.Optional[hint]  # noqa: UP045 - a hint may be a string; `text: str = None` is common
    has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    return NotRequired[hint] if has_default else hint


def _ambiguous_union(hint: Any) -> object | None:
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


def _no_field_type(cls: type, error: Exception) -> MessageSerializationError:
    """A dataclass has a field of a type that JSON never could hold."""
    first_line = str(error).partition("\n")[0]
    return MessageSerializationError(
        f"The dataclass {full_name(cls)} cannot leave the process, since a field is of a type that JSON cannot hold: "
        f"{first_line} Give the field another type, or teach the runtime how to write the message "
        "with runtime.add_message_serializer(...)."
    )


def _ambiguous(cls: type, field: str, union: object) -> MessageSerializationError:
    """A dataclass has a field whose values would not come back as what they were."""
    return MessageSerializationError(
        f"The dataclass {full_name(cls)} cannot leave the process: what its field '{field}' holds could come back as "
        f"another type of {union}, which look alike in JSON. Tell classes apart by a field of theirs, with "
        "Annotated[..., pydantic.Field(discriminator=...)], or keep to one type."
    )
