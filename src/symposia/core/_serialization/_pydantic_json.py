from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from symposia.core._serialization._refusals import check_class, not_readable, not_writable
from symposia.core._serialization._serializer import JSON_DATA_CONTENT_TYPE, MessageSerializer

PydanticT = TypeVar("PydanticT", bound=BaseModel)


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
