"""Frames, the messages between the host and the server, over any pair of byte streams. Pure.

A frame is a JSON object and some bytes::

    length of the object (u32, big-endian) | length of the bytes (u32) | the object, UTF-8 | the bytes

JSON, since both sides have it and it makes nothing but plain data: pickle would run code of the sandbox on the host.
The bytes stand apart, since a file inside JSON would have to be encoded and grow by a third.

To the host every frame is hostile: both lengths are checked against a cap before anything is kept, and the object must
be an object. What the keys mean is checked by the reader.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping
from typing import NamedTuple, cast

MAX_HEADER_BYTES = 256 * 1024  # far above the longest, with a path of 1,000 characters
CONNECTION_KINDS = frozenset(("data", "window", "end", "close"))
"""Frames for a connection of a block (`_relay`), which may come late, when their block has ended."""

_LENGTHS = struct.Struct(">II")


class FrameError(Exception):
    """The other side broke the protocol."""


class Frame(NamedTuple):
    """One message: a JSON object and bytes."""

    header: Mapping[str, object]
    data: bytes


def pack_frame(header: Mapping[str, object], data: bytes = b"") -> bytes:
    """The frame as bytes."""
    return pack_start(header, len(data)) + data


def pack_start(header: Mapping[str, object], data_length: int) -> bytes:
    """The bytes of a frame before its data."""
    encoded = json.dumps(header, separators=(",", ":")).encode()
    return _LENGTHS.pack(len(encoded), data_length) + encoded


class FrameDecoder:
    """Cuts a stream of bytes into frames.

    Each byte is handled once, when it comes, so that the last piece of a frame of many megabytes takes no longer than
    the others: on the host that is time in which the event loop stands still.

    Args:
        max_data_bytes: Most bytes that one frame may carry.
    """

    def __init__(self, max_data_bytes: int) -> None:
        self._max_data_bytes = max_data_bytes
        self._begin()

    def _begin(self) -> None:
        self._start = bytearray()  # the lengths, and then the header
        self._start_length = _LENGTHS.size
        self._header: Mapping[str, object] | None = None
        self._data_missing = 0
        # Not a bytearray, from which the data would have to be copied: `BytesIO` gives away what it has collected.
        self._data = io.BytesIO()

    def feed(self, received: bytes) -> list[Frame]:
        """The frames that `received` completes.

        Raises:
            FrameError: A length is over its cap, or a header is not a JSON object. The stream is beyond repair.
        """
        frames: list[Frame] = []
        rest = memoryview(received)
        while rest:
            rest = self._take_start(rest) if self._header is None else self._take_data(rest)
            if self._header is not None and not self._data_missing:
                frames.append(Frame(self._header, self._data.getvalue()))
                self._begin()
        return frames

    def _take_start(self, received: memoryview) -> memoryview:
        """Take what belongs to the lengths and the header, and return the rest."""
        missing = self._start_length - len(self._start)
        self._start += received[:missing]
        if len(self._start) == self._start_length == _LENGTHS.size:
            header_length, data_length = _LENGTHS.unpack(self._start)
            if header_length > MAX_HEADER_BYTES or data_length > self._max_data_bytes:
                raise FrameError(f"a frame of {header_length} + {data_length} bytes is over the limit")
            self._start_length += header_length
            self._data_missing = data_length
        if len(self._start) == self._start_length:
            self._header = _parse_header(bytes(self._start[_LENGTHS.size :]))
        return received[missing:]

    def _take_data(self, received: memoryview) -> memoryview:
        taken = received[: self._data_missing]
        self._data.write(taken)
        self._data_missing -= len(taken)
        return received[len(taken) :]


def _parse_header(encoded: bytes) -> Mapping[str, object]:
    try:
        header: object = json.loads(encoded.decode())
    except (ValueError, RecursionError) as error:
        raise FrameError("a frame's header is not JSON") from error
    if not isinstance(header, dict):
        raise FrameError("a frame's header is not a JSON object")
    return cast("Mapping[str, object]", header)
