"""Documents cut into passages that fit into a prompt, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.memory import MemoryContent, MemoryMimeType
from symposia.core.terminal_text import printable, printable_name

DEFAULT_SIZE: Final = 1_500
"""Characters of a passage, some 400 tokens: a few paragraphs, so that several passages fit beside a question."""

MOST_HEADING: Final = 200
"""Characters of a heading. A longer one is a paragraph, and would stand above each passage of its section."""

_FENCES: Final = ("```", "~~~")
_SLIDE: Final = re.compile(r"<!-- Slide number: (\d+) -->")  # as markitdown writes it
_PAGE: Final = "\f"


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A part of a document.

    Attributes:
        source: The path of the document.
        text: The part.
        first_line: Its first line in the text of the document, from 1.
        last_line: Its last line.
        heading: The headings that it stands under, joined by `` > ``; empty if there is none.
        page: The page of a PDF or the slide of a presentation, from 1; None for other documents.
        page_name: ``page`` or ``slide``.
    """

    source: str
    text: str
    first_line: int
    last_line: int
    heading: str = ""
    page: int | None = None
    page_name: str = "page"

    @property
    def place(self) -> str:
        """Where it is in the document: its page or slide, or else its lines."""
        if self.page is not None:
            return f"{self.page_name} {self.page}"
        if self.first_line == self.last_line:
            return f"line {self.first_line}"
        return f"lines {self.first_line}-{self.last_line}"

    def as_memory(self) -> MemoryContent:
        """The passage for a memory.

        Its text begins with the source and the place, so that a model can name them with any memory. The metadata has
        them as ``source``, ``place`` and ``heading``, and ``first_line`` and ``last_line``.
        """
        name = printable_name(self.source)
        heading = f", {printable_name(self.heading)}" if self.heading else ""
        return MemoryContent(
            content=f"[{name}, {self.place}{heading}]\n{printable(self.text)}",
            mime_type=MemoryMimeType.TEXT,
            metadata={
                "source": self.source,
                "place": self.place,
                "heading": self.heading,
                "first_line": self.first_line,
                "last_line": self.last_line,
            },
        )


def split_into_passages(source: str, text: str, *, size: int = DEFAULT_SIZE) -> list[Passage]:
    """Cut a document into passages.

    A passage ends where a section or a page ends. A longer section is cut at the end of a paragraph, of a line, or of a
    word.

    Args:
        source: The path of the document.
        text: Its text: Markdown, in which a form feed begins a new page, or other text.
        size: The most characters of a passage.

    Raises:
        InvalidArgumentError: `size` is less than 100.
    """
    if size < 100:  # noqa: PLR2004 - a passage of a few words says nothing
        raise InvalidArgumentError(f"The size of a passage is {size!r}: give at least 100 characters.")
    markdown = not source.lower().endswith((".py", ".sh", ".rb", ".yaml", ".yml", ".toml", ".ini", ".cfg"))
    return list(_Splitter(source, size, markdown=markdown).passages(text))


class _Splitter:
    def __init__(self, source: str, size: int, *, markdown: bool) -> None:
        self._source = source
        self._size = size
        self._markdown = markdown  # in other files, "#" begins a comment
        self._headings: list[tuple[int, str]] = []
        self._page: int | None = None
        self._page_name = "page"
        self._lines: list[tuple[int, str]] = []
        self._length = 0

    def passages(self, text: str) -> Iterator[Passage]:
        if _PAGE in text:
            self._page = 1
        in_code = False
        for number, line in enumerate(text.split("\n"), 1):
            pages = line.count(_PAGE)
            if pages and self._page is not None:
                yield from self._end()
                self._page += pages
                line = line.replace(_PAGE, "")  # noqa: PLW2901 - the rest of the line is on the new page
            # Few lines begin with a mark, and a document may have millions of lines.
            beginning = line[:8].lstrip(" ")
            if beginning.startswith(_FENCES):
                in_code = not in_code
            elif beginning.startswith("<!--") and (slide := _SLIDE.fullmatch(line.strip())):
                yield from self._end()
                self._page, self._page_name = int(slide[1]), "slide"
                continue
            elif beginning.startswith("#") and self._markdown and not in_code and (heading := _heading(line)):
                yield from self._end()
                self._enter(*heading)
            for part in self._parts(line):
                while self._lines and self._length + len(part) + 1 > self._size:
                    yield from self._end(at_paragraph=True)
                self._lines.append((number, part))
                self._length += len(part) + 1
        yield from self._end()

    def _enter(self, level: int, heading: str) -> None:
        self._headings = [(each, text) for each, text in self._headings if each < level] + [(level, heading)]

    def _parts(self, line: str) -> Iterator[str]:
        """A line in parts that fit: long lines are paragraphs of files that do not wrap them."""
        start = 0
        while len(line) - start >= self._size:
            most = start + self._size - 1
            end = line.rfind(" ", start + self._size // 2, most) + 1 or most
            yield line[start:end]
            start = end
        yield line[start:]

    def _end(self, *, at_paragraph: bool = False) -> Iterator[Passage]:
        """The passage of the lines so far; with `at_paragraph`, of those before the last empty line."""
        cut = len(self._lines)
        if at_paragraph:
            empty = [index for index, (_, line) in enumerate(self._lines) if not line.strip()]
            if empty and empty[-1] > cut // 2:  # else passages become much shorter than they may be
                cut = empty[-1]
        lines, self._lines = self._lines[:cut], self._lines[cut:]
        self._length = sum(len(line) + 1 for _, line in self._lines)
        while lines and not lines[0][1].strip():
            lines.pop(0)
        while lines and not lines[-1][1].strip():
            lines.pop()
        if not lines or (len(lines) == 1 and self._markdown and _heading(lines[0][1])):
            return  # a heading alone: the passages below it name it
        yield Passage(
            source=self._source,
            text="\n".join(line for _, line in lines),
            first_line=lines[0][0],
            last_line=lines[-1][0],
            heading=" > ".join(text for _, text in self._headings),
            page=self._page,
            page_name=self._page_name,
        )


def _heading(line: str) -> tuple[int, str] | None:
    """The level and the text of a Markdown heading (CommonMark 0.31.2, 4.2), None for other lines.

    Not by a regular expression, which takes quadratic time for a line of many spaces.
    """
    text = line.lstrip("#")
    level = len(line) - len(text)
    if not 1 <= level <= 6 or not text[:1].isspace():  # noqa: PLR2004 - Markdown's
        return None
    text = text.strip()
    without_closing = text.rstrip("#")
    if not without_closing or without_closing[-1].isspace():
        text = without_closing.rstrip()
    return level, text[:MOST_HEADING]
