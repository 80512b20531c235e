from __future__ import annotations

from dataclasses import dataclass


@dataclass
class UnknownPayload:
    """A message of a type that is not known here. Sent on, it goes as it came.

    Attributes:
        type_name: The type's name on the wire.
        data_content_type: The format of `payload`, as a media type.
        payload: The message's bytes.
    """

    type_name: str
    data_content_type: str
    payload: bytes
