"""What is said of messages that cannot be written, and of bytes that cannot be read."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from symposia.core._serialization._type_name import full_name
from symposia.core.exceptions import MessageFormatError, MessageSerializationError


def not_writable(cls: type, error: Exception) -> MessageSerializationError:
    """A value in a message is none that JSON could hold."""
    return MessageSerializationError(f"A {full_name(cls)} cannot be written as JSON: {error}")


def no_field_type(cls: type, error: Exception) -> MessageSerializationError:
    """A dataclass has a field of a type that JSON never could hold."""
    return MessageSerializationError(
        f"The dataclass {full_name(cls)} cannot leave the process, since a field is of a type that JSON cannot hold: "
        f"{_first_line(error)} Give the field another type, or teach the runtime how to write the message "
        "with runtime.add_message_serializer(...)."
    )


def ambiguous(cls: type, field: str, union: object) -> MessageSerializationError:
    """A dataclass has a field whose values would not come back as what they were."""
    return MessageSerializationError(
        f"The dataclass {full_name(cls)} cannot leave the process: what its field '{field}' holds could come back as "
        f"another type of {union}, which look alike in JSON. Tell classes apart by a field of theirs, with "
        "Annotated[..., pydantic.Field(discriminator=...)], or keep to one type."
    )


def not_readable(cls: type, error: Exception) -> MessageFormatError:
    """Bytes are no message of this class."""
    why = "; ".join(map(_fault, error.errors())) if isinstance(error, ValidationError) else str(error)
    return MessageFormatError(f"The bytes are no {full_name(cls)}: {why}")


def _fault(fault: ErrorDetails) -> str:
    return f"{'.'.join(map(str, fault['loc'])) or 'the payload'}: {fault['msg']}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
