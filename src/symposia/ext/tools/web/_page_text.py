"""HTML as text for a model: headings, lists, tables and links in Markdown, without scripts, styles and forms.

The standard library's parser takes any input, however broken. A full conversion to Markdown was rejected: a model reads
a page for what it says, and every mark costs tokens.
"""

from __future__ import annotations

import re
from html import unescape
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
_LONGEST_ADDRESS: Final = 2_000
"""Characters of an address in the text. Longer ones are data more often than addresses."""
_LINKED: Final = 1_000_000
"""Characters of addresses that are resolved, in addition to the size of the page: 10,000 links of 100 characters."""


def page_text(html: str, url: str) -> tuple[str, str]:
    """The title and the text of a page, in time and size that grow with the size of the page.

    Args:
        html: The page.
        url: Its address, for links that are relative.
    """
    parser = _PageParser(url, len(html) + _LINKED)
    parser.feed(html)
    parser.finish()
    return _one_line("".join(parser.title)), _tidy("".join(parser.pieces))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _tidy(text: str) -> str:
    lines = "\n".join(line.strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


class _PageParser(HTMLParser):
    def __init__(self, url: str, addresses_left: int) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.title: list[str] = []
        self._url = url
        self._has_base = False
        self._addresses_left = addresses_left  # characters; a short link can stand for a long address
        self._skipped = ""  # the outermost element that is left out, and how many of its kind are open
        self._skipped_depth = 0
        self._in_title = False
        self._in_pre = 0
        self._link: tuple[str, int] | None = None

    def finish(self) -> None:
        """Take the text at the end. A tag or a comment without an end is left out, as browsers do.

        Not by `close`, which looks for the end of each of many comments without one in all that follows.
        """
        if not self.rawdata.startswith("<"):
            self.handle_data(unescape(self.rawdata))

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "base" and given.get("href") and not self._has_base:  # HTML ignores all but the first
            self._has_base = True
            self._url = self._resolved(given["href"] or "") or self._url
        if tag == "title":
            self._in_title = not self.title
        else:
            self._skip(tag)
        if self._skipped or self._in_title:
            return
        if tag == "pre":
            self._in_pre += 1
        if tag in _OPENING:
            self.pieces.append(_OPENING[tag])
        elif tag == "a" and (given.get("href") or "").strip():
            self._link = (given["href"] or "", len(self.pieces))  # links do not nest: a second one ends the first
        elif tag == "img" and (given.get("alt") or "").strip():
            self.pieces.append(f"[image: {_one_line(given['alt'] or '')}]")

    def _skip(self, tag: str) -> None:
        if tag == "body":
            self._skipped = ""  # an open head, or a tag in it that was never closed
        elif self._skipped:
            self._skipped_depth += tag == self._skipped
        elif tag in _SKIPPED:
            self._skipped, self._skipped_depth = tag, 1

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif self._skipped:
            self._skipped_depth -= tag == self._skipped
            if not self._skipped_depth:
                self._skipped = ""
        elif tag == "pre":
            self._in_pre = max(0, self._in_pre - 1)
            self.pieces.append("\n\n")
        elif tag == "a" and self._link:
            self._close_link(*self._link)
            self._link = None
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
        address = self._resolved(href) if text else None
        if address and address.startswith(("http://", "https://")) and address.partition("#")[0] != self._url:
            self.pieces[start:] = [f"[{text}]({address})"]

    def _resolved(self, href: str) -> str | None:
        """The address of a link; None if it is none, is too long, or the page had too many."""
        href = href.strip()
        self._addresses_left -= len(self._url) + len(href)
        if len(href) > _LONGEST_ADDRESS or self._addresses_left < 0:
            return None
        try:
            address = urljoin(self._url, href)
        except ValueError:  # such as an address of IPv6 that is none
            return None
        return address if len(address) <= _LONGEST_ADDRESS else None
