"""Decompression of gzip in pieces."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symposia.ext.tools._gzip import GzipDecoder


def pieces_of(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(st.lists(st.tuples(st.binary(max_size=200), st.integers(0, 3)), min_size=1), st.integers(1, 100))
def test_all_members_of_a_stream_are_read_in_pieces_of_any_size(members: list[tuple[bytes, int]], size: int) -> None:
    data = b"".join(gzip.compress(each) + b"\0" * padding for each, padding in members)
    decoder = GzipDecoder()
    decoded = b"".join(decoder.decode(piece, 10**6) for piece in pieces_of(data, size))
    assert decoded == b"".join(each for each, _ in members)
    assert not decoder.is_broken_off


@given(st.binary(min_size=1, max_size=100), st.integers(1, 200))
def test_no_more_is_decompressed_than_is_wanted(text: bytes, most: int) -> None:
    assert GzipDecoder().decode(gzip.compress(text) * 3, most) == (text * 3)[:most]


def test_a_stream_that_ends_early_is_broken_off() -> None:
    decoder = GzipDecoder()
    assert not decoder.is_broken_off
    for piece in pieces_of(gzip.compress(b"a") + gzip.compress(b"b")[:-1], 5):
        decoder.decode(piece, 100)
    assert decoder.is_broken_off


def test_what_follows_the_stream_and_is_no_gzip_is_an_error() -> None:
    decoder = GzipDecoder()
    assert decoder.decode(gzip.compress(b"a"), 100) == b"a"
    with pytest.raises(zlib.error):
        decoder.decode(b"x" * 65536, 100)
