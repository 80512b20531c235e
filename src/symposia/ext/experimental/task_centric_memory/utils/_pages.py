"""Pages of a log: HTML files that link to each other."""

from __future__ import annotations

import html
import logging
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from symposia.core import Image, worker_threads

CALL_TREE: Final = "0  Call Tree"

_log: Final = logging.getLogger(__name__)

_DOCUMENT: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>body {{ font: 16px/1.4 sans-serif; white-space: pre-wrap }} img {{ max-width: 40em; display: block }}</style>
</head>
<body><h3>{title}</h3>
{lines}
</body>
</html>
"""


class Page:
    """A page: its title, and lines of HTML.

    Args:
        number: Its number in the log, which is the name of its file; 0 for the tree of calls.
        title: Its title, as text.
        depth: How many pages it is inside of.
    """

    def __init__(self, number: int, title: str, depth: int = 0) -> None:
        self._number = number
        self.title = title
        self.depth = depth
        self.lines: list[str] = []

    @property
    def file_name(self) -> str:
        """The name of its file."""
        return f"{self._number or self.title}.html"

    @property
    def link(self) -> str:
        """A link to it."""
        return f'<a href="{self.file_name}">{self._heading}</a>'

    @property
    def indented_link(self) -> str:
        """A link to it, as a line of the tree of calls."""
        return "    " * self.depth + self.link

    @property
    def _heading(self) -> str:
        return html.escape(f"{self._number}  {self.title}" if self._number else self.title)

    def document(self) -> str:
        """The HTML."""
        return _DOCUMENT.format(title=self._heading, lines="\n".join(self.lines))


class PageFiles:
    """The files of a log, which are written in a thread soon after a page has changed.

    Args:
        folder: Their folder, which is made with the first page.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changed: dict[str, Page] = {}
        self._is_scheduled = False
        self._is_failing = False
        self._state = threading.RLock()
        self._writing = threading.RLock()

    def change(self, *pages: Page) -> None:
        """Write pages soon."""
        with self._state:
            self._changed.update((page.file_name, page) for page in pages)
            if self._is_scheduled:
                return
            self._is_scheduled = True
        worker_threads.submit(self.write_or_log)

    def write_or_log(self) -> None:
        """Write what has changed, where nobody waits for it: the first of failures in a row is logged."""
        try:
            self.write()
        except OSError as error:
            if not self._is_failing:
                _log.error("The pages in %s cannot be written: %s. Give PageLogger another path.", self._folder, error)
            self._is_failing = True
        else:
            self._is_failing = False

    def write(self) -> None:
        """Write what has changed. It waits for the disk.

        Raises:
            OSError: A page cannot be written. It is written after the next change, if that is possible then.
        """
        with self._writing:
            while page := self._next():
                try:
                    self._write(page)
                except OSError:
                    self._put_back(page)
                    raise

    def _write(self, page: Page) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / page.file_name
        path.write_text(page.document(), encoding="utf-8", errors="replace")

    def _next(self) -> Page | None:
        """A page that has changed. It is taken before it is written: if it changes meanwhile, it is written again."""
        with self._state:
            self._is_scheduled = bool(self._changed)
            return self._changed.popitem()[1] if self._changed else None

    def _put_back(self, page: Page) -> None:
        with self._state:
            self._changed[page.file_name] = page
            self._is_scheduled = False


def parts_of_message(content: str | Iterable[object]) -> list[str]:
    """The content of a message as lines of HTML: texts, pictures, calls of tools and their results."""
    if isinstance(content, str):
        return [html.escape(content)]
    return [
        f'<img src="{part.data_uri}" alt="An image of the message">'
        if isinstance(part, Image)
        else html.escape(str(part))
        for part in content
    ]
