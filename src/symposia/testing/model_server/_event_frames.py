"""Events in the binary form of Amazon's servers: ``application/vnd.amazon.eventstream``."""

from __future__ import annotations

import json
import struct
import zlib

STREAM_TYPE = "application/vnd.amazon.eventstream"

PRELUDE_SIZE = 12
TEXT = 7


def frame(payload: bytes, event_type: str) -> bytes:
    """An event with a JSON payload."""
    return _frame(payload, {":event-type": event_type, ":content-type": "application/json", ":message-type": "event"})


def exception(kind: str, message: str) -> bytes:
    """An exception in the stream."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return _frame(json.dumps({"message": message}).encode(), headers)


def payload_of(event: bytes) -> bytes:
    """The payload of an event."""
    (size_of_headers,) = struct.unpack_from("!I", event, 4)
    return event[PRELUDE_SIZE + size_of_headers : -4]


def event_type_of(event: bytes) -> str:
    """The type of an event that `frame` made: the value of its first header."""
    start = PRELUDE_SIZE + 1 + event[PRELUDE_SIZE] + 1
    (size,) = struct.unpack_from("!H", event, start)
    return event[start + 2 : start + 2 + size].decode()


def _frame(payload: bytes, headers: dict[str, str]) -> bytes:
    written = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    start = struct.pack("!II", PRELUDE_SIZE + len(written) + len(payload) + 4, len(written))
    body = start + struct.pack("!I", zlib.crc32(start)) + written + payload
    return body + struct.pack("!I", zlib.crc32(body))


def _header(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + struct.pack("!BH", TEXT, len(value)) + value
