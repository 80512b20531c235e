"""Splits the bytes of Amazon's binary event streams into events.

The format is that of ``application/vnd.amazon.eventstream``, in the AWS SDKs' reference of event stream encoding::

    total length (4 bytes) · length of the headers (4) · CRC-32 of these two (4)
    headers · payload · CRC-32 of everything before it (4)

botocore's decoder was rejected: it needs botocore for clients that sign nothing, takes lengths of any size, and reads a
response that is no event stream as one with a wrong checksum.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Final

from symposia.ext.models._stream_decoders import LONGEST_EVENT, SPARE_LINES

_PRELUDE: Final = struct.Struct("!III")
_CRC: Final = struct.Struct("!I")
_LENGTH: Final = struct.Struct("!H")
_TEXT: Final = 7
_SIZES: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of the values of headers, by their type; the types 6 and 7, bytes and text, begin with their length."""


class FrameDecoder:
    """Finds the events in the bytes of an event stream; see `StreamDecoder`.

    An exception in the stream becomes the event ``{"type": "error", "error": {"type": …, "message": …}}``, which is
    Anthropic's form of an error.

    Args:
        read: Makes the data of an event out of its type and payload: None for one of a kind that is not known, which is
            left out, and a `ValueError` that says what is wrong.
    """

    def __init__(self, read: Callable[[str, bytes], bytes | None]) -> None:
        self._read = read
        self._rest = bytearray()
        self._problem: ValueError | None = None
        self._unknown = 0

    def feed(self, data: bytes) -> list[bytes]:
        """See `StreamDecoder.feed`.

        Raises:
            ValueError: The bytes are no event stream, or a checksum is wrong.
        """
        if self._problem is not None:
            raise self._problem
        self._rest += data
        events: list[bytes] = []
        start = 0
        try:
            while (end := self._end_of_frame(start)) is not None:
                event = self._event(bytes(self._rest[start:end]))
                start = end
                if event is not None:
                    events.append(event)
        except ValueError as problem:
            if not events:
                raise
            self._problem = problem  # told after the events that arrived before it
        del self._rest[:start]
        return events

    def finish(self) -> list[bytes]:
        """See `StreamDecoder.finish`. What is left is no event: it lacks its checksum.

        Raises:
            ValueError: See `feed`.
        """
        if self._problem is not None:
            raise self._problem
        return []

    def _end_of_frame(self, start: int) -> int | None:
        """The place behind the frame that begins at `start`; None while it is not whole."""
        if len(self._rest) - start < _PRELUDE.size:
            return None
        total, headers, checksum = _PRELUDE.unpack_from(self._rest, start)
        if zlib.crc32(memoryview(self._rest)[start : start + 8]) != checksum:
            raise ValueError("it is no event stream of Amazon's: the length of an event has a wrong checksum")
        if total > LONGEST_EVENT or _PRELUDE.size + headers + _CRC.size > total:
            raise ValueError(f"an event of the stream has {total:,} bytes, {headers:,} of them headers")
        end = start + total
        return end if end <= len(self._rest) else None

    def _event(self, frame: bytes) -> bytes | None:
        if zlib.crc32(frame[: -_CRC.size]) != _CRC.unpack_from(frame, len(frame) - _CRC.size)[0]:
            raise ValueError("an event of the stream has a wrong checksum")
        begin = _PRELUDE.size
        end_of_headers = begin + _PRELUDE.unpack_from(frame)[1]
        headers = dict(_headers(frame[begin:end_of_headers]))
        payload = frame[end_of_headers : -_CRC.size]
        match headers.get(":message-type"):
            case "event":
                event = self._read(headers.get(":event-type", ""), payload)
                self._unknown += event is None
                if self._unknown > SPARE_LINES:
                    raise ValueError(f"the stream has more than {SPARE_LINES:,} events of kinds that are not known")
                return event
            case "exception":
                return _error(headers.get(":exception-type", "exception"), _message_of(payload))
            case "error":
                return _error(headers.get(":error-code", "error"), headers.get(":error-message", ""))
            case other:
                raise ValueError(f"an event of the stream has the type {other!r}")


def _headers(data: bytes) -> Iterator[tuple[str, str]]:
    """The names and values of the headers that are texts."""
    place = 0
    try:
        while place < len(data):
            name = data[place + 1 : place + 1 + data[place]].decode()
            place += 1 + data[place]
            kind = data[place]
            place += 1
            size = _SIZES.get(kind)
            if size is None:
                (size,) = _LENGTH.unpack_from(data, place)
                place += _LENGTH.size
            if kind == _TEXT:
                yield name, data[place : place + size].decode()
            place += size
    except (IndexError, struct.error) as error:
        raise ValueError("an event of the stream has headers that are cut off") from error


def _message_of(payload: bytes) -> str:
    """The words of an exception, whose payload is JSON with a message."""
    try:
        words: object = json.loads(payload).get("message")
    except (ValueError, AttributeError):
        words = None
    return words if isinstance(words, str) else payload.decode(errors="replace")


def _error(code: str, words: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": code, "message": words or code}}).encode()
