"""Amazon's binary event streams, as botocore reads them, and damaged."""

import struct
import zlib
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.ext.models._event_frames import FrameDecoder
from symposia.testing.model_server._event_frames import exception, frame

FRAMES = [
    (b'{"a": 1}', "chunk"),
    (b"", "messageStart"),
    (b"x" * 3000, "chunk"),
]
STREAM = b"".join(frame(payload, kind) for payload, kind in FRAMES)


def decoder() -> FrameDecoder:
    return FrameDecoder(lambda kind, payload: kind.encode() + b":" + payload)


def read_whole(stream: bytes) -> list[bytes]:
    frames = decoder()
    return [*frames.feed(stream), *frames.finish()]


def test_the_frames_of_the_mock_server_are_those_that_botocore_reads() -> None:
    buffer = import_module("botocore.eventstream").EventStreamBuffer()
    buffer.add_data(STREAM + exception("throttlingException", "Slow down."))
    read = [message.to_response_dict() for message in buffer]
    assert [one["body"] for one in read] == [*(payload for payload, _ in FRAMES), b'{"message": "Slow down."}']
    assert [one["status_code"] for one in read] == [200, 200, 200, 400]


@given(st.lists(st.integers(0, len(STREAM)), max_size=8).map(sorted))
def test_events_are_found_wherever_the_bytes_are_cut(cuts: list[int]) -> None:
    found: list[bytes] = []
    frames = decoder()
    for start, end in zip([0, *cuts], [*cuts, len(STREAM)], strict=True):
        found += frames.feed(STREAM[start:end])
    assert [*found, *frames.finish()] == [kind.encode() + b":" + payload for payload, kind in FRAMES]


def test_an_exception_in_a_stream_is_an_event_with_its_type_and_words() -> None:
    (event,) = decoder().feed(exception("throttlingException", "Slow down."))
    assert event == b'{"type": "error", "error": {"type": "throttlingException", "message": "Slow down."}}'


def test_an_event_of_a_kind_that_is_not_known_is_left_out() -> None:
    frames = FrameDecoder(lambda kind, payload: payload if kind == "chunk" else None)
    assert frames.feed(STREAM) == [b'{"a": 1}', b"x" * 3000]


def test_a_broken_frame_is_told_after_the_events_before_it() -> None:
    frames = decoder()
    assert len(frames.feed(STREAM + b"<!doctype html>")) == 3
    with pytest.raises(ValueError, match="no event stream of Amazon's"):
        frames.finish()


@given(st.integers(0, len(STREAM) - 1), st.integers(1, 255))
def test_a_bit_that_flips_anywhere_is_found_by_a_checksum(place: int, flip: int) -> None:
    damaged = bytearray(STREAM)
    damaged[place] ^= flip
    with pytest.raises(ValueError, match="checksum"):
        read_whole(bytes(damaged))


def test_a_frame_that_is_too_large_is_refused_before_it_is_read() -> None:
    start = struct.pack("!II", 2**31, 0)
    with pytest.raises(ValueError, match=r"an event of the stream has 2,147,483,648 bytes"):
        decoder().feed(start + struct.pack("!I", zlib.crc32(start)))
