"""What is kept of a block's output: the head and the tail, decoded whatever the bytes are. Pure."""

from __future__ import annotations

import codecs

_CONTINUATION = 0b10  # the first bits of every byte of a UTF-8 character but its first
_Utf8Decoder = codecs.getincrementaldecoder("utf-8")


class KeptOutput:
    """One stream of output, kept up to a limit.

    Args:
        limit: Bytes kept: half of them from the head, half from the tail.
    """

    def __init__(self, limit: int) -> None:
        self._head_limit = limit - limit // 2
        self._tail_limit = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0
        self._pieces = _Utf8Decoder("replace")

    def add(self, data: bytes) -> str:
        """Keep `data`, and say what it completes as text: a character may come in two pieces."""
        room = self._head_limit - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self._tail_limit:  # trimmed in batches: a trim moves the whole tail
            self._trim()
        return self._pieces.decode(data)

    def finish(self) -> str:
        """The text of an unfinished character at the very end, if there is one."""
        return self._pieces.decode(b"", final=True)

    def result(self) -> tuple[str, int]:
        """The text, with a line where it was cut, and the number of bytes that were cut."""
        self._trim()
        if not self._dropped:
            return (self._head + self._tail).decode("utf-8", "replace"), 0
        head = _Utf8Decoder("replace").decode(self._head)  # not final: half a character at the cut is left out
        tail = self._tail[_continuation_bytes(self._tail) :].decode("utf-8", "replace")
        return f"{head}\n[... {self._dropped} bytes cut ...]\n{tail}", self._dropped

    def _trim(self) -> None:
        excess = len(self._tail) - self._tail_limit
        if excess > 0:
            self._dropped += excess
            del self._tail[:excess]


def _continuation_bytes(data: bytearray) -> int:
    """How many bytes at the start belong to a character that was cut: three at most, or it is not UTF-8 anyway."""
    return next((index for index, byte in enumerate(data[:3]) if byte >> 6 != _CONTINUATION), min(3, len(data)))
