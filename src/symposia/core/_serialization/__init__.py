"""How messages become bytes, for whatever reaches other processes. Nothing else pays for it."""

from ._dataclass_json import DataclassJsonMessageSerializer
from ._known import try_get_known_serializers_for_type
from ._protobuf import ProtobufMessageSerializer
from ._pydantic_json import PydanticJsonMessageSerializer
from ._registry import SerializationRegistry
from ._serializer import JSON_DATA_CONTENT_TYPE, PROTOBUF_DATA_CONTENT_TYPE, MessageSerializer
from ._unknown_payload import UnknownPayload

__all__ = [
    "JSON_DATA_CONTENT_TYPE",
    "PROTOBUF_DATA_CONTENT_TYPE",
    "DataclassJsonMessageSerializer",
    "MessageSerializer",
    "ProtobufMessageSerializer",
    "PydanticJsonMessageSerializer",
    "SerializationRegistry",
    "UnknownPayload",
    "try_get_known_serializers_for_type",
]
