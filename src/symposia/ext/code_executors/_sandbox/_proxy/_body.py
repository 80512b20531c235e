"""Where the body of a request to the proxy ends, read as strictly as its head. Pure.

What follows the body of a plain request would be the next one, for whatever host it names, and is dropped. So the
chunks of a body without a length are followed here. The program's own framing goes to the server as it is, since only
what has one reading is let through. Extensions of chunks and trailers, which programs hardly send, are refused: servers
differ in where they end (RFC 9112, section 7.1).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from symposia.ext.code_executors._sandbox._proxy._request import ProxyRequest, RequestError

_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,13})\r\n")
_LONGEST_LINE: Final = 15
_NOT_CHUNKED: Final = "the body of the request is not in plain chunks"

TakeBody: TypeAlias = Callable[[bytes], bytes]
"""Takes what a program sends, and returns what of it is for the server; raises `RequestError`."""


def body_of(request: ProxyRequest) -> TakeBody:
    """What cuts the bytes behind a head down to its body. All that goes through a tunnel is its body."""
    if request.is_tunnel:
        return bytes
    return ChunkedBody().take if request.body_bytes is None else _SizedBody(request.body_bytes).take


class _SizedBody:
    def __init__(self, length: int) -> None:
        self._left = length

    def take(self, data: bytes) -> bytes:
        taken = data[: self._left]
        self._left -= len(taken)
        return taken


class ChunkedBody:
    """A body in chunks: lines with a size, each followed by so many bytes and an empty line; a size of 0 ends it."""

    def __init__(self) -> None:
        self._line = bytearray()  # as far as it has come; sent on when it is whole, and right
        self._left = 0  # of the data of a chunk
        self._ends_chunk = False  # whether the next line is the empty one behind a chunk
        self._is_last = False
        self._is_over = False

    def take(self, data: bytes) -> bytes:
        """Take some bytes, and return those that belong to the body.

        Raises:
            RequestError: They are no chunks.
        """
        taken = bytearray()
        position = 0
        while position < len(data) and not self._is_over:
            if self._left:
                piece = data[position : position + self._left]
                self._left -= len(piece)
                taken += piece
            else:
                end = data.find(b"\n", position, position + _LONGEST_LINE)
                piece = data[position : end + 1 if end >= 0 else None]
                self._line += piece[: _LONGEST_LINE + 1]
                if len(self._line) > _LONGEST_LINE:
                    raise RequestError(_NOT_CHUNKED)
                if end >= 0:
                    taken += self._end_line()
            position += len(piece)
        return bytes(taken)

    def _end_line(self) -> bytes:
        line = bytes(self._line)
        self._line.clear()
        if self._ends_chunk:
            if line != b"\r\n":
                raise RequestError(_NOT_CHUNKED)
            self._ends_chunk, self._is_over = False, self._is_last
            return line
        size = _SIZE.fullmatch(line)
        if size is None:
            raise RequestError(_NOT_CHUNKED)
        self._left = int(size[1], 16)
        self._ends_chunk, self._is_last = True, self._left == 0
        return line
