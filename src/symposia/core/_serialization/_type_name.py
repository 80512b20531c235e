from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from google.protobuf.message import Message


def is_protobuf(cls: type) -> TypeGuard[type[Message]]:
    """Whether a class is a protobuf message. Protobuf is not imported: without it there can be none."""
    module = sys.modules.get("google.protobuf.message")
    return module is not None and issubclass(cls, module.Message)


def wire_name(cls: type) -> str:
    """A message type's name on the wire: protobuf's full name, else the class's own, without its module."""
    return cls.DESCRIPTOR.full_name if is_protobuf(cls) else cls.__name__


def full_name(cls: type) -> str:
    """A class's name with its module, for error messages."""
    return f"{cls.__module__}.{cls.__qualname__}"
