import asyncio

from hypothesis import given
from hypothesis import strategies as st

from symposia.ext.code_executors.docker._transport import (
    STDERR,
    STDERR_KEPT_BYTES,
    STDOUT,
    AttachedProtocol,
    FrameSplitter,
)

Frames = list[tuple[int, bytes]]


def sent(stream: int, data: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def joined(parts: Frames) -> dict[int, bytes]:
    return {stream: b"".join(data for number, data in parts if number == stream) for stream in (STDOUT, STDERR)}


@given(
    frames=st.lists(st.tuples(st.sampled_from([STDOUT, STDERR]), st.binary(max_size=50))),
    cuts=st.lists(st.integers(min_value=1, max_value=20), min_size=1),
)
def test_streams_are_told_apart_however_they_are_cut(frames: Frames, cuts: list[int]) -> None:
    wire = b"".join(sent(stream, data) for stream, data in frames)
    splitter, parts = FrameSplitter(), Frames()
    while wire:
        piece, wire = wire[: cuts[0]], wire[cuts[0] :]
        cuts = cuts[1:] + cuts[:1]
        parts += splitter.feed(piece)
    assert joined(parts) == joined(frames)


def test_part_of_a_frame_is_not_held_back() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(sent(STDOUT, b"hello")[:10]) == [(STDOUT, b"he")]
    assert splitter.feed(b"llo") == [(STDOUT, b"llo")]


async def test_stdout_is_read_and_the_end_of_stderr_kept() -> None:
    reader = asyncio.StreamReader()
    protocol = AttachedProtocol(reader)
    protocol.data_received(sent(STDERR, b"x" * STDERR_KEPT_BYTES) + sent(STDOUT, b"out") + sent(STDERR, b"last words"))
    protocol.eof_received()
    assert await reader.read() == b"out"
    assert len(protocol.stderr) == STDERR_KEPT_BYTES
    assert protocol.stderr.endswith("last words")
