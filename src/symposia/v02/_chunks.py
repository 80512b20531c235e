"""Texts in chunks of a number of tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

VALID_CHUNK_MODES: Final = frozenset({"one_line", "multi_lines"})
SHORTEST: Final = 5
"""The characters of the shortest chunk that is kept, as in AutoGen 0.2."""

Count: TypeAlias = Callable[[str], int]
Counted: TypeAlias = tuple[str, int]
"""A line and its tokens."""


def chunks(
    text: str, count: Count, *, max_tokens: int, chunk_mode: str, must_break_at_empty_line: bool, overlap: int
) -> list[str]:
    """A text in chunks.

    Args:
        text: The text.
        count: The tokens of a text.
        max_tokens: The most tokens of a chunk. A line with more is broken between its words, or within a word.
        chunk_mode: ``multi_lines``, or ``one_line`` for a chunk of each line.
        must_break_at_empty_line: Whether a chunk ends at an empty line, where one is in it.
        overlap: The lines at the end of a chunk with which the next one begins.
    """
    lines = [(line, tokens) for each in text.split("\n") for line, tokens in _lines(each, count, max_tokens)]
    if chunk_mode == "one_line":
        found = [line for line, _ in lines]
    else:
        found = list(_joined(lines, max_tokens, overlap, at_empty_line=must_break_at_empty_line))
    return [each for each in map(str.strip, found) if len(each) >= SHORTEST]


def _joined(lines: Sequence[Counted], most: int, overlap: int, *, at_empty_line: bool) -> Iterator[str]:
    start = 0
    while start < len(lines):
        end = _end(lines, start, most)
        if at_empty_line and end < len(lines):
            end = next((at for at in range(end, start, -1) if not lines[at][0].strip()), end)
        yield "\n".join(line for line, _ in lines[start:end])
        # At least one line further, however many lines are to overlap.
        start = end if end == len(lines) else max(start + 1, end - overlap)


def _end(lines: Sequence[Counted], start: int, most: int) -> int:
    """The end of the lines from `start` on that have no more tokens than `most`; at least one line."""
    end, tokens = start + 1, lines[start][1]
    while end < len(lines) and tokens + lines[end][1] <= most:
        tokens += lines[end][1]
        end += 1
    return end


def _lines(line: str, count: Count, most: int) -> Iterator[Counted]:
    """A line, or its parts if it has more tokens than `most`: halves of halves, broken at spaces."""
    tokens = count(line)
    if tokens <= most or len(line) < 2:  # noqa: PLR2004 - a character cannot be broken
        yield line, tokens
        return
    middle = len(line) // 2
    at = line.rfind(" ", 1, middle) + 1 or line.find(" ", middle) + 1 or middle
    yield from _lines(line[:at], count, most)
    yield from _lines(line[at:], count, most)
