"""Decompression of gzip piece by piece, up to a number of bytes.

An HTTP client decompresses all that it receives: 64 KiB become 64 MiB, and more if they are compressed twice.
"""

from __future__ import annotations

import zlib
from typing import Final, Protocol

_WITH_HEADER: Final = zlib.MAX_WBITS | 16


class _Member(Protocol):
    """An object of `zlib.decompressobj`, whose class has no public name."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class GzipDecoder:
    """Decompresses the members of a gzip stream, which are one text (RFC 1952, section 2.2).

    Each member has a decompressor of its own: one that has ended copies all that it is given to what it got before.
    """

    def __init__(self) -> None:
        self._member: _Member = zlib.decompressobj(_WITH_HEADER)
        self._is_begun = False

    @property
    def is_broken_off(self) -> bool:
        """Whether the last member has begun and has not ended."""
        return self._is_begun and not self._member.eof

    def decode(self, data: bytes, most: int) -> bytes:
        """Decompress the next piece.

        Args:
            data: The piece.
            most: The bytes that are wanted, at least 1. What follows them in `data` is lost.

        Raises:
            zlib.error: It is no gzip.
        """
        decoded = bytearray()
        while len(decoded) < most:
            if self._member.eof:
                data = data.lstrip(b"\0")  # padding, as of tapes, which the `gzip` of the standard library skips too
                if data:
                    self._member = zlib.decompressobj(_WITH_HEADER)
            if not data:
                break
            self._is_begun = True
            decoded += self._member.decompress(data, most - len(decoded))
            data = self._member.unused_data
        return bytes(decoded)
