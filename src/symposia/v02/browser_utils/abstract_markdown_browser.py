"""What a browser of pages as Markdown has."""

from __future__ import annotations

from abc import ABC, abstractmethod

__all__ = ["AbstractMarkdownBrowser"]


class AbstractMarkdownBrowser(ABC):
    """Shows pages as Markdown, a part of a page at a time: the viewport."""

    @property
    @abstractmethod
    def address(self) -> str:
        """The address of the page."""

    @abstractmethod
    def set_address(self, uri_or_path: str) -> None:
        """Open a page, or search with ``bing:`` or ``search:`` before what is searched."""

    @property
    @abstractmethod
    def viewport(self) -> str:
        """The part of the page that is shown."""

    @property
    @abstractmethod
    def page_content(self) -> str:
        """The page."""

    @abstractmethod
    def page_down(self) -> None:
        """Show the next part."""

    @abstractmethod
    def page_up(self) -> None:
        """Show the part before."""

    @abstractmethod
    def visit_page(self, path_or_uri: str) -> str:
        """Open a page, and return what is shown of it."""

    @abstractmethod
    def open_local_file(self, local_path: str) -> str:
        """Open a file of this machine, and return what is shown of it."""

    @abstractmethod
    def find_on_page(self, query: str) -> str | None:
        """Show the next part with a text, in which ``*`` stands for anything, and return it; None if there is none."""

    @abstractmethod
    def find_next(self) -> str | None:
        """As `find_on_page`, for the text that was looked for last."""
