"""What is on the screen of a file surfer: one page of one text, and a search in it. It does no input and output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from symposia.core.terminal_text import printable

PAGE_SIZE: Final = 5 * 1024
"""The most characters of a page, as AutoGen's pages have."""


@dataclass(slots=True)
class Viewer:
    """A text, of which one page is shown.

    Attributes:
        path: The file or folder, relative to the base folder.
        text: Its text.
        page: The page that is shown, from 0.
        search: The text that was looked for last.
    """

    path: str
    text: str
    page: int = 0
    search: str = ""
    _pages: Sequence[str] = field(init=False)

    def __post_init__(self) -> None:
        self._pages = _pages(self.text)
        self.turn(0)

    def turn(self, by: int) -> None:
        """Turn so many pages, as far as there are some."""
        self.page = min(max(self.page + by, 0), len(self._pages) - 1)

    def find(self, search: str) -> bool:
        """Look for a text from the page that is shown, and turn to the page that has it.

        Args:
            search: The text, in which ``*`` stands for anything in one line. Case does not matter.

        Returns:
            Whether a page has it.
        """
        self.search = search
        return self._turn_to_match(range(len(self._pages)))

    def find_next(self) -> bool:
        """Look for the same text behind the page that is shown, and after the last page from the first one."""
        return bool(self.search) and self._turn_to_match(range(1, len(self._pages) + 1))

    def show(self, note: str = "") -> str:
        """The page, below its path and position.

        Args:
            note: A line about what was done.
        """
        position = f"Viewport position: Showing page {self.page + 1} of {len(self._pages)}."
        head = [f"Path: {self.path}", position, *([note] if note else [])]
        return "\n".join([*head, "=======================", printable(self._pages[self.page])])

    def _turn_to_match(self, steps: range) -> bool:
        parts = [part for part in self.search.casefold().split("*") if part]
        if not parts:
            return False
        for step in steps:
            page = (self.page + step) % len(self._pages)
            if any(_has_in_order(line, parts) for line in self._pages[page].casefold().split("\n")):
                self.page = page
                return True
        return False


def _has_in_order(line: str, parts: Sequence[str]) -> bool:
    """Whether a line has all parts, one behind the other. A regular expression can take exponential time for it."""
    start = 0
    for part in parts:
        start = line.find(part, start)
        if start < 0:
            return False
        start += len(part)
    return True


def _pages(text: str) -> Sequence[str]:
    pages: list[str] = []
    start = 0
    while len(text) - start > PAGE_SIZE:
        # At the end of a line, unless that would leave half of the page empty.
        end = text.rfind("\n", start + PAGE_SIZE // 2, start + PAGE_SIZE) + 1 or start + PAGE_SIZE
        pages.append(text[start:end].removesuffix("\n"))
        start = end
    return [*pages, text[start:]]
