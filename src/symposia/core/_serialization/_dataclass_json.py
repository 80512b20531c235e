from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from pydantic_core import PydanticSerializationError

from symposia.core._serialization._class_serializer import ClassSerializer
from symposia.core._serialization._refusals import not_readable, not_writable
from symposia.core._serialization._serializer import JSON_DATA_CONTENT_TYPE

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from symposia.core._serialization._dataclass_record import Record

DataclassT = TypeVar("DataclassT", bound="DataclassInstance")


class DataclassJsonMessageSerializer(ClassSerializer[DataclassT]):
    """Dataclasses as JSON objects, with anything in their fields that pydantic can write, and read as the same.

    A field that is not an argument of the constructor is neither written nor read. An unknown field is ignored. What a
    field holds is written as its annotation says: of an object of a subclass, only what the base class has.

    Args:
        cls: The messages' class.
    """

    content_type = JSON_DATA_CONTENT_TYPE

    def serialize(self, message: DataclassT) -> bytes:
        """Write a message.

        Raises:
            MessageSerializationError: It is of another class, or a field holds what its annotation does not say, or
                what JSON cannot; the text names the field.
        """
        self.check(message)
        record = self._record.model_construct({name: getattr(message, name) for name in self._fields})
        try:
            return record.model_dump_json(warnings="error").encode()
        except PydanticSerializationError as error:
            raise not_writable(self.cls, error) from error

    def deserialize(self, payload: bytes) -> DataclassT:
        """Read a message back: its class is called with the fields that are there.

        Raises:
            MessageFormatError: The bytes are no such message; the text names the field.
        """
        record = self._record
        try:
            return self.cls(**record.model_validate_json(payload).root)
        except Exception as error:  # of pydantic, or of the class's own constructor
            raise not_readable(self.cls, error) from error

    @cached_property
    def _fields(self) -> tuple[str, ...]:
        return tuple(field.name for field in dataclasses.fields(self.cls) if field.init)

    @cached_property
    def _record(self) -> type[Record]:
        from symposia.core._serialization._dataclass_record import record_of  # noqa: PLC0415 - see there

        return record_of(self.cls)
