"""Pages of the web as Markdown."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.v02.browser_utils.abstract_markdown_browser import AbstractMarkdownBrowser
    from symposia.v02.browser_utils.markdown_search import (
        AbstractMarkdownSearch,
        BingMarkdownSearch,
        EngineMarkdownSearch,
    )
    from symposia.v02.browser_utils.mdconvert import (
        DocumentConverterResult,
        FileConversionException,
        MarkdownConverter,
        UnsupportedFormatException,
    )
    from symposia.v02.browser_utils.requests_markdown_browser import RequestsMarkdownBrowser
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "abstract_markdown_browser": ["AbstractMarkdownBrowser"],
            "markdown_search": ["AbstractMarkdownSearch", "BingMarkdownSearch", "EngineMarkdownSearch"],
            "mdconvert": [
                "DocumentConverterResult",
                "FileConversionException",
                "MarkdownConverter",
                "UnsupportedFormatException",
            ],
            "requests_markdown_browser": ["RequestsMarkdownBrowser"],
        },
    )

__all__ = [
    "AbstractMarkdownBrowser",
    "AbstractMarkdownSearch",
    "BingMarkdownSearch",
    "DocumentConverterResult",
    "EngineMarkdownSearch",
    "FileConversionException",
    "MarkdownConverter",
    "RequestsMarkdownBrowser",
    "UnsupportedFormatException",
]
