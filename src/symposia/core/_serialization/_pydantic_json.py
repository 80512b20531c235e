from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from symposia.core._serialization._class_serializer import ClassSerializer
from symposia.core._serialization._refusals import not_readable, not_writable
from symposia.core._serialization._serializer import JSON_DATA_CONTENT_TYPE

PydanticT = TypeVar("PydanticT", bound=BaseModel)


class PydanticJsonMessageSerializer(ClassSerializer[PydanticT]):
    """Pydantic models as JSON.

    Args:
        cls: The messages' class.
    """

    content_type = JSON_DATA_CONTENT_TYPE

    def serialize(self, message: PydanticT) -> bytes:
        """Write a message.

        Raises:
            MessageSerializationError: It is of another class, or a field holds what JSON cannot.
        """
        self.check(message)
        try:
            return message.model_dump_json().encode()
        except PydanticSerializationError as error:
            raise not_writable(self.cls, error) from error

    def deserialize(self, payload: bytes) -> PydanticT:
        """Read a message back.

        Raises:
            MessageFormatError: The bytes are no such message; the text names the field.
        """
        try:
            return self.cls.model_validate_json(payload)
        except ValidationError as error:
            raise not_readable(self.cls, error) from error
