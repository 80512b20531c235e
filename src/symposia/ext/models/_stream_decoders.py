"""Splits the bytes of a streamed response into its events: server-sent events, or lines."""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import Final, Protocol

LONGEST_EVENT: Final = 64 * 1024 * 1024
"""Bytes of one event of a stream. A vendor's largest is an image of some megabytes; more is an attack or a defect."""

SPARE_LINES: Final = 100_000
"""Lines of a stream that may be empty or short, such as those that keep a connection alive."""
USUAL_LINE: Final = 8
"""Bytes that the further lines have on average, at least. Reading empty ones takes a minute for each 256 MiB."""


class StreamDecoder(Protocol):
    """Finds the events in the bytes of a stream."""

    def feed(self, data: bytes, /) -> list[bytes]:
        """Take bytes, cut anywhere, and return the data of the events that they complete.

        Raises:
            ValueError: An event is larger than `LONGEST_EVENT`, or the stream has too many empty lines.
        """
        ...

    def finish(self) -> list[bytes]:
        """The data of the last event, if it lacks its end."""
        ...


class EventDecoder:
    """Splits the bytes of a stream of server-sent events into the data of its events.

    The rules are those of the HTML standard, section "Interpreting an event stream", with two differences. Names, ids
    and retry times of events are ignored, since both vendors repeat the name in the data. An event that ends with the
    stream, without an empty line, counts, since some servers leave out the last newline. As in the standard, an event
    without data is none (some servers keep a connection alive by them), and a byte order mark at the start is skipped.
    """

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._data: list[bytes] = []
        self._size = 0
        self._begun = False
        self._lines = _LineCount()

    def feed(self, data: bytes) -> list[bytes]:
        """See `StreamDecoder.feed`."""
        self._size += len(data)
        _check_size(self._size)
        if b"\n" not in data and b"\r" not in data:
            self._rest.append(data)  # joined once there is a line: a long line costs no more than its length
            return []
        lines = b"".join((*self._rest, data)).splitlines(keepends=True)
        # A carriage return at the very end may be the first half of a line end.
        self._rest = [] if lines[-1].endswith(b"\n") else [lines.pop()]
        self._lines.add(lines)
        return self._events(lines)

    def finish(self) -> list[bytes]:
        """The data of the last event, if it lacks its end."""
        lines, self._rest = [*self._rest, b"\n", b"\n"], []
        return self._events(b"".join(lines).splitlines(keepends=True))

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        if lines and not self._begun:
            self._begun = True
            lines[0] = lines[0].removeprefix(BOM_UTF8)
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].rstrip(b"\r\n").removeprefix(b" "))
            elif not line.rstrip(b"\r\n"):
                if event := b"\n".join(self._data):
                    events.append(event)
                self._data.clear()
                self._size = sum(map(len, self._rest))
        return events


class LineDecoder:
    """Splits the bytes of a stream of JSON lines into its lines, without those that are blank."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._size = 0
        self._lines = _LineCount()

    def feed(self, data: bytes) -> list[bytes]:
        """See `StreamDecoder.feed`."""
        self._size += len(data)
        _check_size(self._size)
        *whole, rest = data.replace(b"\r", b"\n").split(b"\n")  # JSON has both only as escapes
        if not whole:
            self._rest.append(rest)  # joined once the line ends, as in `EventDecoder.feed`
            return []
        whole[0] = b"".join((*self._rest, whole[0]))
        self._rest, self._size = [rest], len(rest)
        self._lines.add(whole)
        return [line for line in whole if line.strip()]

    def finish(self) -> list[bytes]:
        """See `StreamDecoder.finish`."""
        return self.feed(b"\n")


class _LineCount:
    """Counts the lines of a stream that are shorter than usual."""

    def __init__(self) -> None:
        self._spare = SPARE_LINES * USUAL_LINE

    def add(self, lines: list[bytes]) -> None:
        """Count lines.

        Raises:
            ValueError: There are too many.
        """
        self._spare -= len(lines) * USUAL_LINE - sum(map(len, lines))
        if self._spare < 0:
            raise ValueError(f"the stream has more than {SPARE_LINES:,} lines that are empty or nearly so")


def _check_size(size: int) -> None:
    if size > LONGEST_EVENT:
        raise ValueError(f"an event of the stream is longer than {LONGEST_EVENT:,} bytes")
