"""Messages as JSON, written and read by pydantic: what a field's annotation says is what is written, and checked."""

from __future__ import annotations

import dataclasses
import typing
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic, NotRequired, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError
from typing_extensions import TypedDict

from symposia.core._serialization._serializer import JSON_DATA_CONTENT_TYPE, MessageSerializer
from symposia.core._serialization._type_name import full_name
from symposia.core.exceptions import MessageFormatError, MessageSerializationError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from pydantic import RootModel

DataclassT = TypeVar("DataclassT", bound="DataclassInstance")
PydanticT = TypeVar("PydanticT", bound=BaseModel)
Fields = dict[str, Any]  # Any: a message's fields may hold anything


_READABLE: Final = ConfigDict(ser_json_inf_nan="constants", ser_json_bytes="base64", val_json_bytes="base64")
"""What is written can be read: no number becomes null, and any bytes are text."""


class PydanticJsonMessageSerializer(MessageSerializer[PydanticT], Generic[PydanticT]):
    """Pydantic models as JSON.

    Args:
        cls: The messages' class.
    """

    def __init__(self, cls: type[PydanticT]) -> None:
        self.cls = cls

    @property
    def data_content_type(self) -> str:
        """JSON."""
        return JSON_DATA_CONTENT_TYPE

    @property
    def type_name(self) -> str:
        """The class's name."""
        return self.cls.__name__

    def serialize(self, message: PydanticT) -> bytes:
        """Write a message.

        Raises:
            MessageSerializationError: It is of another class, or a field holds what JSON cannot.
        """
        check_class(message, self.cls)
        try:
            return message.model_dump_json().encode()
        except PydanticSerializationError as error:
            raise _not_writable(self.cls, error) from error

    def deserialize(self, payload: bytes) -> PydanticT:
        """Read a message back.

        Raises:
            MessageFormatError: The bytes are no such message; the text names the field.
        """
        try:
            return self.cls.model_validate_json(payload)
        except ValidationError as error:
            raise _not_readable(self.cls, error) from error


class DataclassJsonMessageSerializer(MessageSerializer[DataclassT], Generic[DataclassT]):
    """Dataclasses as JSON objects, with anything in their fields that pydantic can write and read.

    A field that is not an argument of the constructor is neither written nor read. An unknown field is ignored.

    Args:
        cls: The messages' class.
    """

    def __init__(self, cls: type[DataclassT]) -> None:
        self.cls = cls

    @property
    def data_content_type(self) -> str:
        """JSON."""
        return JSON_DATA_CONTENT_TYPE

    @property
    def type_name(self) -> str:
        """The class's name."""
        return self.cls.__name__

    def serialize(self, message: DataclassT) -> bytes:
        """Write a message.

        Raises:
            MessageSerializationError: It is of another class, or a field holds what its annotation does not say, or
                what JSON cannot; the text names the field.
        """
        check_class(message, self.cls)
        record = self._record.model_construct({name: getattr(message, name) for name in self._fields})
        try:
            return record.model_dump_json(warnings="error").encode()
        except PydanticSerializationError as error:
            raise _not_writable(self.cls, error) from error

    def deserialize(self, payload: bytes) -> DataclassT:
        """Read a message back: its class is called with the fields that are there.

        Raises:
            MessageFormatError: The bytes are no such message; the text names the field.
        """
        try:
            record = self._record.model_validate_json(payload)
        except ValidationError as error:
            raise _not_readable(self.cls, error) from error
        return self.cls(**record.root)

    @cached_property
    def _fields(self) -> tuple[str, ...]:
        return tuple(field.name for field in dataclasses.fields(self.cls) if field.init)

    @cached_property
    def _record(self) -> type[RootModel[Fields]]:
        """Made when first needed: it costs milliseconds, which programs of one process never pay."""
        try:
            return _record_of(self.cls)
        except (PydanticUserError, NameError) as error:
            raise MessageSerializationError(
                f"The dataclass {full_name(self.cls)} cannot leave the process, since a field is of a type that JSON "
                f"cannot hold: {_first_line(error)} Give the field another type, or teach the runtime how to write the "
                "message with runtime.add_message_serializer(...)."
            ) from error


def check_class(message: object, cls: type) -> None:
    """Refuse a message of another class than `cls`.

    Raises:
        MessageSerializationError: It is of another.
    """
    if not isinstance(message, cls):
        raise MessageSerializationError(
            f"The message type name '{cls.__name__}' stands for {full_name(cls)}, and cannot be used for a "
            f"{full_name(type(message))}: types that leave the process need names of their own."
        )


def _record_of(cls: type[DataclassInstance]) -> type[RootModel[Fields]]:
    """A model of the arguments of a dataclass's constructor.

    Not the dataclass itself: pydantic would build it without its constructor, and would not take a configuration.
    """
    from pydantic import RootModel  # noqa: PLC0415 - pydantic takes 20 ms to build it, whoever imports it

    hints = typing.get_type_hints(cls, include_extras=True)
    fields = {field.name: _hint(field, hints[field.name]) for field in dataclasses.fields(cls) if field.init}
    typed_fields: Any = TypedDict(cls.__name__, fields)  # pyright: ignore[reportArgumentType] - known only at run time

    class Record(RootModel[typed_fields]):
        model_config = _READABLE

    Record.model_rebuild()  # says so now if a class inside has annotations that cannot be read
    return Record


def _hint(field: dataclasses.Field[Any], hint: Any) -> Any:
    if field.default is None:
        hint = typing.Optional[hint]  # noqa: UP045 - a hint may be a string; `text: str = None` is common
    has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    return NotRequired[hint] if has_default else hint


def _not_writable(cls: type, error: Exception) -> MessageSerializationError:
    return MessageSerializationError(f"A {full_name(cls)} cannot be written as JSON: {error}")


def _not_readable(cls: type, error: ValidationError) -> MessageFormatError:
    faults = [f"{'.'.join(map(str, fault['loc'])) or 'the payload'}: {fault['msg']}" for fault in error.errors()]
    return MessageFormatError(f"The bytes are no {full_name(cls)}: {'; '.join(faults)}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
