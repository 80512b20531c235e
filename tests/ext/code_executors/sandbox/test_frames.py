import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symposia.ext.code_executors._sandbox._inside._frames import (
    MAX_HEADER_BYTES,
    Frame,
    FrameDecoder,
    FrameError,
    pack_frame,
)

LIMIT = 1000
plain = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
headers = st.dictionaries(st.text(max_size=10), plain | st.lists(plain, max_size=3), max_size=5)
frames = st.builds(Frame, headers, st.binary(max_size=200))


@settings(deadline=None)
@given(sent=st.lists(frames, max_size=8), cuts=st.lists(st.integers(min_value=1, max_value=60)))
def test_frames_arrive_as_they_were_sent_however_the_stream_is_cut(sent: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(pack_frame(*frame) for frame in sent)
    decoder = FrameDecoder(LIMIT)
    received: list[Frame] = []
    for size in cuts:
        received += decoder.feed(stream[:size])
        stream = stream[size:]
    assert received + decoder.feed(stream) == sent


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(min_value=1, max_value=20))
def test_whatever_arrives_is_a_frame_or_an_error_and_never_more_than_the_limit(stream: bytes, size: int) -> None:
    decoder = FrameDecoder(50)
    try:
        for start in range(0, len(stream), size):
            assert all(len(frame.data) <= 50 for frame in decoder.feed(stream[start : start + size]))
    except FrameError:
        pass


@pytest.mark.parametrize("lengths", [(2, LIMIT + 1), (MAX_HEADER_BYTES + 1, 0), (2**32 - 1, 2**32 - 1)])
def test_a_length_over_its_cap_is_refused_before_anything_of_it_has_come(lengths: tuple[int, int]) -> None:
    with pytest.raises(FrameError, match="over the limit"):
        FrameDecoder(LIMIT).feed(struct.pack(">II", *lengths))


@pytest.mark.parametrize("header", [b"", b"{", b"[]", b"1", b"\xff", b"[" * MAX_HEADER_BYTES])
def test_a_header_that_is_not_a_json_object_is_refused(header: bytes) -> None:
    with pytest.raises(FrameError, match="header is not"):
        FrameDecoder(LIMIT).feed(struct.pack(">II", len(header), 0) + header)
