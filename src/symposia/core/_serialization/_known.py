from __future__ import annotations

import dataclasses
import types
import typing
from typing import Annotated, Any, Union

from pydantic import BaseModel

from symposia.core._serialization._dataclass_json import DataclassJsonMessageSerializer
from symposia.core._serialization._protobuf import ProtobufMessageSerializer
from symposia.core._serialization._pydantic_json import PydanticJsonMessageSerializer
from symposia.core._serialization._serializer import MessageSerializer
from symposia.core._serialization._type_name import is_protobuf


def try_get_known_serializers_for_type(cls: Any) -> list[MessageSerializer[Any]]:
    """The serializers for a message type: of a union, those of all its members.

    Args:
        cls: A pydantic model, a dataclass, a protobuf message, or a union of such classes.

    Returns:
        One for each class; none for types that are nothing of the kind. Making them costs nothing: whether a
        dataclass's fields can be written shows when the first message is.
    """
    if isinstance(cls, type):
        return _of_class(cls)
    if typing.get_origin(cls) is Annotated:
        return try_get_known_serializers_for_type(typing.get_args(cls)[0])
    if typing.get_origin(cls) in (Union, types.UnionType):
        return [one for member in typing.get_args(cls) for one in try_get_known_serializers_for_type(member)]
    return []


def _of_class(cls: type[object]) -> list[MessageSerializer[Any]]:
    if issubclass(cls, BaseModel):
        return [PydanticJsonMessageSerializer(cls)]
    if dataclasses.is_dataclass(cls):
        return [DataclassJsonMessageSerializer(cls)]
    if is_protobuf(cls):
        return [ProtobufMessageSerializer(cls)]
    return []
