"""Files and pages as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.documents import DocumentConverter, DocumentError
from symposia.ext.tools.web import download, page_text
from symposia.v02._background_loop import run_in_background

__all__ = [
    "DocumentConverterResult",
    "FileConversionException",
    "MarkdownConverter",
    "UnsupportedFormatException",
]

SUFFIXES: Final = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.ms-excel": ".xls",
}
"""The suffix of each media type that is converted."""


class FileConversionException(InvalidArgumentError):  # noqa: N818 - AutoGen's name
    """A file is damaged, or is not what its suffix says."""


class UnsupportedFormatException(InvalidArgumentError):  # noqa: N818 - AutoGen's name
    """A file is of no kind that is read."""


@dataclass
class DocumentConverterResult:
    """A document as Markdown.

    Attributes:
        title: Its title; None if it has none.
        text_content: Its text.
    """

    title: str | None = None
    text_content: str = ""


class MarkdownConverter:
    """Makes Markdown of texts, HTML, PDF and Office files, in a process apart from the program.

    Args:
        private: Whether addresses of this machine and of private networks may be read.
    """

    def __init__(self, *, private: bool = False) -> None:
        self._private = private

    def convert(self, source: str) -> DocumentConverterResult:
        """Convert a file by its path, or what is at an address: see `convert_local` and `convert_url`."""
        is_address = source.startswith(("http://", "https://", "file://"))
        return self.convert_url(source) if is_address else self.convert_local(source)

    def convert_local(self, path: str) -> DocumentConverterResult:
        """Convert a file.

        Raises:
            OSError: It cannot be read.
            FileConversionException: It is damaged, or is not what its suffix says.
            UnsupportedFormatException: It is no text, and of no kind that is converted.
            MissingExtraError: The extra ``documents`` is not installed.
        """
        return _result(Path(path).name, Path(path).read_bytes(), Path(path).absolute().as_uri())

    def convert_url(self, url: str) -> DocumentConverterResult:
        """Convert what is at an address: ``http:``, ``https:`` or ``file:``.

        The errors are those of `convert_local`, and `ToolServiceError` for an address that cannot or may not be read.
        """
        if url.startswith("file://"):
            return self.convert_local(unquote(urlsplit(url).path))
        file = run_in_background(lambda: download(url, private=self._private))
        name = urlsplit(file.url).path.rsplit("/", 1)[-1] or "page"
        suffix = SUFFIXES.get(file.media_type, "")
        return _result(name if name.endswith(suffix) else f"{name}{suffix}", file.data, file.url)


def _result(name: str, data: bytes, url: str) -> DocumentConverterResult:
    if name.lower().endswith((".html", ".htm")):
        title, text = page_text(data.decode("utf-8", "replace"), url)
        return DocumentConverterResult(title or None, text)
    if b"\0" in data[:1024] and not name.lower().endswith(tuple(SUFFIXES.values())):
        raise UnsupportedFormatException(f"{name} is no text, and of no kind that is converted to Markdown.")
    try:
        return DocumentConverterResult(None, converted(name, data))
    except DocumentError as error:
        raise FileConversionException(str(error)) from error


def converted(name: str, data: bytes) -> str:
    """The text of a document, of the kind that the suffix of its name says.

    Raises:
        DocumentError: It is damaged, or of no kind that is read.
        MissingExtraError: Its kind needs the extra ``documents``.
    """

    async def convert() -> str:
        async with DocumentConverter() as converter:
            return await converter.convert(name, data)

    return run_in_background(convert)
