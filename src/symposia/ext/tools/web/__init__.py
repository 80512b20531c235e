"""Tools that read pages of the web, and search it."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.tools.web._download import WebFile, download
from symposia.ext.tools.web._fetch import WebFetchTool, WebPage
from symposia.ext.tools.web._page_text import page_text
from symposia.ext.tools.web._search import (
    BraveSearchEngine,
    SearchEngine,
    SearchHit,
    SearxngSearchEngine,
    WebSearchTool,
)

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "BraveSearchEngine",
    "SearchEngine",
    "SearchHit",
    "SearxngSearchEngine",
    "WebFetchTool",
    "WebFile",
    "WebPage",
    "WebSearchTool",
    "download",
    "page_text",
]
