"""Texts for terminals, without drawing: prose and code, the end of a long text, durations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from symposia.core.text_limits import ends_of

LONGEST_DRAWN: Final = 20_000
"""Characters of a text that are drawn. Rich takes some 25 µs for one of code or of short lines, while the event loop
waits; a megabyte, which a program may print, would take half a minute."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a Markdown text.

    Attributes:
        language: Of a code block; None for prose.
    """

    text: str
    language: str | None = None


def segments(markdown: str) -> Iterator[Segment]:
    """Split a text into prose and fenced code. The last block may be unfinished, as in a stream."""
    language: str | None = None
    lines: list[str] = []
    for line in markdown.splitlines():
        if not line.lstrip().startswith("```"):
            lines.append(line)
            continue
        if any(each.strip() for each in lines):
            yield Segment("\n".join(lines).strip("\n"), language)
        lines = []
        language = (line.strip("` ") or "text") if language is None else None
    if any(each.strip() for each in lines):
        yield Segment("\n".join(lines).strip("\n"), language)


def shortened(text: str) -> str:
    """A text of at most `LONGEST_DRAWN` characters; of a longer one, the head and the tail."""
    return ends_of(text, LONGEST_DRAWN, "\n[{left} characters left out]\n")


def seconds(elapsed: float) -> str:
    """``4.2 s``, ``2 min 05 s``."""
    if elapsed < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{elapsed:.1f} s"
    minutes, rest = divmod(int(elapsed), 60)
    return f"{minutes} min {rest:02} s"


def last_lines(text: str, count: int) -> str:
    """The last lines of a growing text, after the fence of the code block that they are in."""
    lines = text.splitlines()
    if len(lines) <= count:
        return text
    hidden, shown = lines[:-count], lines[-count:]
    return "\n".join([*_open_fence(hidden), *shown])


def _open_fence(lines: Iterable[str]) -> Iterator[str]:
    fence = ""
    for line in lines:
        if line.lstrip().startswith("```"):
            fence = "" if fence else line
    if fence:
        yield fence
