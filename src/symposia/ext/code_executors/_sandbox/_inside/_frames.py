"""Frames, the messages between the host and the server, over any pair of byte streams. Pure.

A frame is a JSON object and some bytes::

    length of the object (u32, big-endian) | length of the bytes (u32) | the object, UTF-8 | the bytes

JSON, since both sides have it and it makes nothing but plain data: pickle would run code of the sandbox on the host.
The bytes stand apart, since a file inside JSON would have to be encoded and grow by a third.

To the host every frame is hostile: both lengths are checked against a cap before anything is kept, and the object must
be an object. What the keys mean is checked by the reader.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import NamedTuple, cast

MAX_HEADER_BYTES = 256 * 1024  # far above the longest, with a path of 1,000 characters
_LENGTHS = struct.Struct(">II")


class FrameError(Exception):
    """The other side broke the protocol."""


class Frame(NamedTuple):
    """One message: a JSON object and bytes."""

    header: Mapping[str, object]
    data: bytes


def pack_frame(header: Mapping[str, object], data: bytes = b"") -> bytes:
    """The frame as bytes."""
    encoded = json.dumps(header, separators=(",", ":")).encode()
    return _LENGTHS.pack(len(encoded), len(data)) + encoded + data


class FrameDecoder:
    """Cuts a stream of bytes into frames.

    Args:
        max_data_bytes: Most bytes that one frame may carry.
    """

    def __init__(self, max_data_bytes: int) -> None:
        self._max_data_bytes = max_data_bytes
        self._buffer = bytearray()

    def feed(self, received: bytes) -> list[Frame]:
        """The frames that `received` completes.

        Raises:
            FrameError: A length is over its cap, or a header is not a JSON object. The stream is beyond repair.
        """
        self._buffer += received
        frames: list[Frame] = []
        while True:
            frame = self._take()
            if frame is None:
                return frames
            frames.append(frame)

    def _take(self) -> Frame | None:
        if len(self._buffer) < _LENGTHS.size:
            return None
        header_length, data_length = _LENGTHS.unpack_from(self._buffer)
        if header_length > MAX_HEADER_BYTES or data_length > self._max_data_bytes:
            raise FrameError(f"a frame of {header_length} + {data_length} bytes is over the limit")
        data_start = _LENGTHS.size + header_length
        end = data_start + data_length
        if len(self._buffer) < end:
            return None
        header = _parse_header(bytes(self._buffer[_LENGTHS.size : data_start]))
        with memoryview(self._buffer) as buffer:  # a slice of the buffer itself would be one more copy
            frame = Frame(header, bytes(buffer[data_start:end]))
        del self._buffer[:end]
        return frame


def _parse_header(encoded: bytes) -> Mapping[str, object]:
    try:
        header: object = json.loads(encoded.decode())
    except (ValueError, RecursionError) as error:
        raise FrameError("a frame's header is not JSON") from error
    if not isinstance(header, dict):
        raise FrameError("a frame's header is not a JSON object")
    return cast("Mapping[str, object]", header)
