"""HTML as text for a model: headings, lists, tables and links in Markdown, without scripts, styles and forms.

The standard library's parser takes any input, however broken. A full conversion to Markdown was rejected: a model reads
a page for what it says, and every mark costs tokens.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

from typing_extensions import override

_SKIPPED: Final = frozenset({"script", "style", "noscript", "template", "svg", "select", "button", "head", "iframe"})
_BLOCKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "dd", "div", "dl", "dt", "figcaption", "figure", "footer", "form",
    "header", "hr", "main", "nav", "ol", "p", "section", "table", "title", "ul",
})  # fmt: skip
_HEADINGS: Final = {f"h{level}": "#" * level for level in range(1, 7)}
_OPENING: Final = {
    **dict.fromkeys([*_BLOCKS, "pre"], "\n\n"),
    **{tag: f"\n\n{marks} " for tag, marks in _HEADINGS.items()},
    "li": "\n- ",
    "br": "\n",
    "tr": "\n",
    "td": " | ",
    "th": " | ",
}
"""What stands before the text of an element."""
_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr", "area", "base", "col", "embed", "source"})


def page_text(html: str, url: str) -> tuple[str, str]:
    """The title and the text of a page.

    Args:
        html: The page.
        url: Its address, for links that are relative.
    """
    parser = _PageParser(url)
    parser.feed(html)
    parser.close()
    return _one_line("".join(parser.title)), _tidy("".join(parser.pieces))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _tidy(text: str) -> str:
    lines = "\n".join(line.strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


class _PageParser(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.title: list[str] = []
        self._url = url
        self._skipped: list[str] = []
        self._in_title = False
        self._in_pre = 0
        self._links: list[tuple[str, int]] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "base" and given.get("href"):
            self._url = urljoin(self._url, given["href"] or "")
        if tag == "title":
            self._in_title = not self.title
        elif tag in _SKIPPED and tag not in _VOID:
            self._skipped.append(tag)
        elif tag == "body":
            self._skipped.clear()  # an open head, or a tag in it that was never closed
        if self._skipped or self._in_title:
            return
        if tag == "pre":
            self._in_pre += 1
        if tag in _OPENING:
            self.pieces.append(_OPENING[tag])
        elif tag == "a" and (given.get("href") or "").strip():
            self._links.append((given["href"] or "", len(self.pieces)))
        elif tag == "img" and (given.get("alt") or "").strip():
            self.pieces.append(f"[image: {_one_line(given['alt'] or '')}]")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif tag in self._skipped:
            del self._skipped[self._skipped.index(tag) :]
        elif self._skipped:
            return
        elif tag == "pre":
            self._in_pre = max(0, self._in_pre - 1)
            self.pieces.append("\n\n")
        elif tag == "a" and self._links:
            self._close_link(*self._links.pop())
        elif tag in _HEADINGS or tag in _BLOCKS:
            self.pieces.append("\n\n")

    @override
    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
        elif not self._skipped:
            self.pieces.append(data if self._in_pre else re.sub(r"\s+", " ", data))

    def _close_link(self, href: str, start: int) -> None:
        """Write a link, unless it leads nowhere else or has no text."""
        text = _one_line("".join(self.pieces[start:]))
        try:
            address = urljoin(self._url, href.strip())
        except ValueError:  # such as an address of IPv6 that is none
            return
        if text and address.startswith(("http://", "https://")) and address.partition("#")[0] != self._url:
            self.pieces[start:] = [f"[{text}]({address})"]
