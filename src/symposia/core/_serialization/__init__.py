"""How messages become bytes, for whatever reaches other processes. Nothing else pays for it."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.core._serialization._classes import (
        DataclassJsonMessageSerializer,
        ProtobufMessageSerializer,
        PydanticJsonMessageSerializer,
        try_get_known_serializers_for_type,
    )
    from symposia.core._serialization._registry import SerializationRegistry
    from symposia.core._serialization._serializer import (
        JSON_DATA_CONTENT_TYPE,
        PROTOBUF_DATA_CONTENT_TYPE,
        MessageSerializer,
        UnknownPayload,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_classes": [
                "DataclassJsonMessageSerializer",
                "ProtobufMessageSerializer",
                "PydanticJsonMessageSerializer",
                "try_get_known_serializers_for_type",
            ],
            "_registry": ["SerializationRegistry"],
            "_serializer": [
                "JSON_DATA_CONTENT_TYPE",
                "PROTOBUF_DATA_CONTENT_TYPE",
                "MessageSerializer",
                "UnknownPayload",
            ],
        },
    )

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
