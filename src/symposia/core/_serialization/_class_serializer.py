from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from symposia.core._serialization._serializer import MessageSerializer
from symposia.core._serialization._type_name import full_name, wire_name
from symposia.core.exceptions import MessageSerializationError

T = TypeVar("T")


class ClassSerializer(MessageSerializer[T], Generic[T]):
    """A serializer that goes by the messages' class: implement `serialize` and `deserialize`.

    Args:
        cls: The messages' class.
    """

    content_type: ClassVar[str]

    def __init__(self, cls: type[T]) -> None:
        self.cls = cls

    @property
    def data_content_type(self) -> str:
        """The format, as a media type."""
        return self.content_type

    @property
    def type_name(self) -> str:
        """The class's name on the wire."""
        return wire_name(self.cls)

    def check(self, message: object) -> None:
        """Refuse a message of another class.

        Raises:
            MessageSerializationError: It is of another.
        """
        if not isinstance(message, self.cls):
            raise MessageSerializationError(
                f"The message type name '{self.type_name}' stands for {full_name(self.cls)}, and cannot be used for a "
                f"{full_name(type(message))}: types that leave the process need names of their own."
            )
