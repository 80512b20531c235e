"""How the fields of a dataclass are checked. Imported when the first dataclass is written or read.

What it uses of pydantic takes 40 ms to import, which programs of one process never pay.
"""

from __future__ import annotations

import dataclasses
import typing
from typing import TYPE_CHECKING, Any, NotRequired, TypeAlias

from pydantic import ConfigDict, RootModel
from pydantic.errors import PydanticUserError
from typing_extensions import TypedDict

from symposia.core._serialization._refusals import ambiguous, no_field_type
from symposia.core._serialization._unions import ambiguous_union

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
        raise no_field_type(cls, error) from error


def _record_of(cls: type[DataclassInstance]) -> type[Record]:
    hints = typing.get_type_hints(cls, include_extras=True)
    arguments = [field for field in dataclasses.fields(cls) if field.init]
    for field in arguments:
        union = ambiguous_union(hints[field.name])
        if union is not None:
            raise ambiguous(cls, field.name, union)
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
