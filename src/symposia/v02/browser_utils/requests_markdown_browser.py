"""A browser that reads pages by HTTP, without their scripts."""

from __future__ import annotations

import re
import time
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from typing_extensions import override

from symposia.core.exceptions import InvalidArgumentError, ToolServiceError
from symposia.ext.documents import DocumentError
from symposia.ext.tools.web import WebFile, download, page_text
from symposia.v02._background_loop import run_in_background
from symposia.v02.browser_utils.abstract_markdown_browser import AbstractMarkdownBrowser
from symposia.v02.browser_utils.markdown_search import AbstractMarkdownSearch
from symposia.v02.browser_utils.mdconvert import SUFFIXES, converted

__all__ = ["RequestsMarkdownBrowser"]

BLANK: Final = "about:blank"
_SEARCH: Final = re.compile(r"(?:bing|search):\s*(.*)", re.DOTALL)
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_TEXT: Final = re.compile(r"text/.*|application/(json|xml|javascript|yaml|toml)|.*\+(json|xml)")


class RequestsMarkdownBrowser(AbstractMarkdownBrowser):
    """Shows pages, texts, PDF and Office files of the web as Markdown.

    Addresses of this machine and of private networks are refused, unless `private` is true. Files of this machine are
    opened by `open_local_file` alone, which a program calls, and no page that a model asks for.

    Args:
        start_page: The first page; by default a blank one.
        viewport_size: Characters of a viewport, which ends with a word.
        downloads_folder: Where files that are no texts are saved; by default they are an error.
        search_engine: Searches for addresses that begin with ``search:`` or ``bing:``.
        private: Whether addresses of this machine and of private networks may be read.

    Attributes:
        history: The addresses that were opened, each with its time, in seconds since 1970.
        page_title: The title of the page; None if it has none.
        viewport_pages: The beginning and the end of each viewport of the page.
        viewport_current_page: The number of the one that is shown.

    Raises:
        InvalidArgumentError: `viewport_size` is below 1.
    """

    def __init__(
        self,
        start_page: str | None = None,
        viewport_size: int | None = 1024 * 8,
        downloads_folder: str | None = None,
        search_engine: AbstractMarkdownSearch | None = None,
        *,
        private: bool = False,
    ) -> None:
        self.start_page = start_page or BLANK
        self.viewport_size = 1024 * 8 if viewport_size is None else viewport_size
        if self.viewport_size < 1:
            raise InvalidArgumentError(f"viewport_size is {viewport_size}: give a number of characters above 0.")
        self.downloads_folder = downloads_folder
        self.history: list[tuple[str, float]] = [(BLANK, time.time())]
        self.page_title: str | None = None
        self.viewport_current_page = 0
        self.viewport_pages: list[tuple[int, int]] = [(0, 0)]
        self._search_engine = search_engine
        self._private = private
        self._page_content = ""
        self._query: str | None = None
        if self.start_page != BLANK:
            self.set_address(self.start_page)

    @property
    @override
    def address(self) -> str:
        return self.history[-1][0]

    @property
    @override
    def viewport(self) -> str:
        start, end = self.viewport_pages[self.viewport_current_page]
        return self._page_content[start:end]

    @property
    @override
    def page_content(self) -> str:
        return self._page_content

    @override
    def set_address(self, uri_or_path: str) -> None:
        search = _SEARCH.fullmatch(uri_or_path)
        if uri_or_path == BLANK:
            self._show(BLANK, None, "")
        elif search:
            self._show(f"search: {search[1]}", f"{search[1]} - Search", self._results(search[1]))
        else:
            self._show(*self._read(urljoin(self.address, uri_or_path)))

    @override
    def page_down(self) -> None:
        self.viewport_current_page = min(self.viewport_current_page + 1, len(self.viewport_pages) - 1)

    @override
    def page_up(self) -> None:
        self.viewport_current_page = max(self.viewport_current_page - 1, 0)

    @override
    def visit_page(self, path_or_uri: str) -> str:
        self.set_address(path_or_uri)
        return self.viewport

    @override
    def open_local_file(self, local_path: str) -> str:
        """Open a file of this machine, and return what is shown of it.

        Raises:
            OSError: It cannot be read.
            DocumentError: It is damaged, or of no kind that is read.
            MissingExtraError: Its kind needs the extra ``documents``.
        """
        path = Path(local_path).absolute()
        data = path.read_bytes()
        if path.suffix.lower() in {".html", ".htm"}:
            title, text = page_text(data.decode("utf-8", "replace"), path.as_uri())
        else:
            title, text = "", converted(path.name, data)
        self._show(path.as_uri(), title or path.name, text)
        return self.viewport

    @override
    def find_on_page(self, query: str) -> str | None:
        self._query = query
        return self._find(self.viewport_current_page)

    @override
    def find_next(self) -> str | None:
        return self._find(self.viewport_current_page + 1)

    def _find(self, first: int) -> str | None:
        """Show the first viewport with the text, from one on and then from the beginning."""
        if not self._query or not self._query.strip("* \n"):
            return None
        words = r"\s+".join(re.escape(word).replace(r"\*", ".*") for word in self._query.split())
        wanted = re.compile(words, re.IGNORECASE)
        count = len(self.viewport_pages)
        for number in (each % count for each in range(first, first + count)):
            start, end = self.viewport_pages[number]
            if wanted.search(self._page_content, start, end):
                self.viewport_current_page = number
                return self.viewport
        return None

    def _show(self, address: str, title: str | None, content: str) -> None:
        self.history.append((address, time.time()))
        self.page_title = title
        self._page_content = content
        self.viewport_pages = _viewports(content, self.viewport_size)
        self.viewport_current_page = 0
        self._query = None

    def _results(self, query: str) -> str:
        if self._search_engine is None:
            return "There is no search engine: give the browser a search_engine. Open pages by their addresses."
        return self._search_engine.search(query)

    def _read(self, url: str) -> tuple[str, str | None, str]:
        """The address, the title and the text of a page, or of the error in its place."""
        try:
            file = run_in_background(lambda: download(url, private=self._private))
            return (file.url, *self._text(file))
        except (ToolServiceError, InvalidArgumentError) as error:  # DocumentError is one
            return url, "Error", f"## Error\n\n{error}"

    def _text(self, file: WebFile) -> tuple[str | None, str]:
        if file.media_type in _HTML:
            title, text = page_text(file.text, file.url)
            return title or None, text
        if suffix := SUFFIXES.get(file.media_type):
            return None, converted(f"document{suffix}", file.data)
        if _TEXT.fullmatch(file.media_type) or (not file.media_type and b"\0" not in file.data):
            return None, file.text
        return "Download complete", self._saved(file)

    def _saved(self, file: WebFile) -> str:
        if self.downloads_folder is None:
            raise DocumentError(
                f"{file.url} is {file.media_type or 'binary'}, which is no text, and there is no downloads_folder."
            )
        name = re.sub(r"[^\w.-]+", "_", unquote(PurePosixPath(urlsplit(file.url).path).name)).lstrip(".") or "download"
        folder = Path(self.downloads_folder)
        folder.mkdir(parents=True, exist_ok=True)
        path = _unused(folder / name)
        path.write_bytes(file.data)
        return f"# Download complete\n\nSaved file to '{path}'"


def _unused(path: Path) -> Path:
    """A path that is not there: nothing is replaced."""
    number, free = 0, path
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}_{number}")
    return free


def _viewports(content: str, size: int) -> list[tuple[int, int]]:
    """The parts of a page, which end at spaces."""
    parts: list[tuple[int, int]] = []
    start = 0
    while start < len(content):
        space = re.compile(r"\s").search(content, start + size)
        end = space.start() if space and len(content) > start + size else len(content)
        parts.append((start, end))
        start = end
    return parts or [(0, 0)]
