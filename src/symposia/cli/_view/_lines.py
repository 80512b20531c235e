from __future__ import annotations

from dataclasses import dataclass

from symposia.core.code_executor import OutputStream

SHOWN_LINES = 60
SHOWN_CHARACTERS = 2_000

MORE = "[… {:,} more lines: the whole output is in the run's folder, below code/ …]"


@dataclass(frozen=True, slots=True)
class OutputLine:
    """A line that a program printed, without its end."""

    text: str
    stream: OutputStream


class LineBuffer:
    """Puts the pieces of a program's output together to lines, and shows no more than a screenful or two of them.

    Args:
        limit: Lines of one program that are given out; the rest is counted.
    """

    def __init__(self, limit: int = SHOWN_LINES) -> None:
        self._limit = limit
        self._given = 0
        self._held_back = 0
        self._partial: dict[OutputStream, str] = {}

    def add(self, stream: OutputStream, piece: str) -> list[OutputLine]:
        """Take a piece, and give the lines that it completes."""
        *complete, partial = (self._partial.get(stream, "") + piece).split("\n")
        self._partial[stream] = partial
        return self._within_limit([OutputLine(line, stream) for line in complete])

    def rest(self) -> list[OutputLine]:
        """Give what is left at the end of a program, and begin anew."""
        lines = self._within_limit([OutputLine(line, stream) for stream, line in self._partial.items() if line])
        if self._held_back:
            lines.append(OutputLine(MORE.format(self._held_back), "stdout"))
        self._partial, self._given, self._held_back = {}, 0, 0
        return lines

    def _within_limit(self, lines: list[OutputLine]) -> list[OutputLine]:
        room = max(0, self._limit - self._given)
        shown = [OutputLine(line.text[:SHOWN_CHARACTERS], line.stream) for line in lines[:room]]
        self._given += len(shown)
        self._held_back += len(lines) - len(shown)
        return shown
