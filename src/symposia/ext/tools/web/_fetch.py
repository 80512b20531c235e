"""The tool that reads a page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, Field
from typing_extensions import override

from symposia.core import CancellationToken, cancelled_by
from symposia.core.exceptions import ToolServiceError
from symposia.core.text_limits import beginning_of
from symposia.core.tools import BaseTool, ToolTraits
from symposia.ext._shown_addresses import shown_address
from symposia.ext.tools._exchange import MIB, Call, ExchangeLimits, Reply, opened, require_httpx
from symposia.ext.tools._text_limit import MAX_CHARS, check_max_chars
from symposia.ext.tools.web._page_text import page_text

_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_TEXTS: Final = frozenset({
    "application/json", "application/xml", "application/javascript", "application/yaml", "application/x-yaml",
    "application/toml", "application/x-ndjson", "application/sql",
})  # fmt: skip


_SHOWN: Final = 2_000
"""Characters of the address and of the title that a model is shown."""


class WebFetchArgs(BaseModel, defer_build=True):
    """The arguments of `WebFetchTool`."""

    url: str = Field(description="The full address of the page, beginning with http:// or https://")
    start: int = Field(default=0, ge=0, description="How many characters of the text to leave out, to read on in it")


class WebPage(BaseModel, defer_build=True):
    """A page that was read.

    Attributes:
        url: Its address, after redirects.
        title: Its title; empty if it has none.
        media_type: Its type, such as ``text/html``.
        text: The part of its text that was asked for. HTML is converted to text with links in Markdown.
        start: The characters before that part.
        total: The characters of all of it.
    """

    url: str
    title: str
    media_type: str
    text: str
    start: int
    total: int


class WebFetchTool(BaseTool[WebFetchArgs, WebPage]):
    """A tool that reads a page of the web as text.

    It reads HTML, plain text, JSON and the like. Everything else, such as an image, a PDF or an archive, is refused
    before its body is read. A long page is read in parts: the result says how the model asks for the next one.

    Addresses of this machine, of private networks and of clouds' metadata services are refused, unless `private` is
    true, also where a name or a redirect leads to them. The connection is made to the address that was checked.

    What a page says is written by others. A model that reads pages may be told there to do something else.

    Args:
        name: The name by which the model calls the tool.
        description: The description of the tool for the model.
        hosts: The only hosts whose pages may be read, such as ``["docs.python.org", ".wikipedia.org"]``, where the dot
            stands for every host below; all public ones, by default.
        private: Whether addresses of this machine and of private networks may be read.
        headers: Headers of each request. They are also sent to hosts that redirects lead to, and are not saved.
        timeout: Seconds from the request to the text of the page, redirects included.
        max_redirects: How many redirects are followed.
        max_bytes: Bytes of a page; a larger one is refused.
        max_chars: Characters of the text in one result.

    Raises:
        InvalidArgumentError: A limit allows nothing.
        MissingExtraError: ``httpx2`` is not installed.
    """

    component_transient = frozenset({"headers"})
    traits = ToolTraits("idempotent")  # RFC 9110, section 9.2.1: a GET asks for no change

    def __init__(
        self,
        name: str = "web_fetch",
        description: str = "Read a page of the web as text.",
        *,
        hosts: Sequence[str] | None = None,
        private: bool = False,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        max_redirects: int = 5,
        max_bytes: int = 5 * MIB,
        max_chars: int = MAX_CHARS,
    ) -> None:
        super().__init__(WebFetchArgs, WebPage, name, description)
        require_httpx("WebFetchTool", "web-tools")
        self._limits = ExchangeLimits(
            timeout=timeout, max_bytes=max_bytes, max_redirects=max_redirects, private=private, hosts=hosts
        )
        self._limits.check(f"the WebFetchTool {name!r}")
        check_max_chars(f"the WebFetchTool {name!r}", max_chars)
        self._max_chars = max_chars
        self._headers = {"Accept": "text/html,text/*;q=0.9,application/json;q=0.9,*/*;q=0.5", **(headers or {})}

    @override
    async def run(self, args: WebFetchArgs, cancellation_token: CancellationToken) -> WebPage:
        """Read a page.

        Raises:
            ToolServiceError: The page may not be read, cannot be, is too large or is no text; the text says which.
            asyncio.CancelledError: The token was cancelled.
        """
        url = args.url.strip()
        _check_address(url)
        with cancelled_by(cancellation_token):
            call = Call(method="GET", url=url, headers=self._headers, shown=shown_address)
            async with opened(call, self._limits) as (head, body):
                if 200 <= head.status < 300:  # noqa: PLR2004 - of other statuses, the body is an explanation
                    _refuse_binary(head)
                reply = replace(head, body=await body.read())
                reply.require_success()
                title, text = await _title_and_text(reply)
        return WebPage(
            url=reply.url,
            title=title,
            media_type=reply.media_type,
            text=text[args.start : args.start + self._max_chars],
            start=args.start,
            total=len(text),
        )

    @override
    def return_value_as_string(self, value: object) -> str:
        """The address, the title and the text, with a note of how to read on."""
        if not isinstance(value, WebPage):
            return super().return_value_as_string(value)
        end = value.start + len(value.text)
        # A server chooses the address that a redirect leads to, and the title.
        url, title = beginning_of(value.url, _SHOWN), beginning_of(value.title, _SHOWN)
        parts = [f"URL: {url}", *([f"Title: {title}"] if title else []), ""]
        parts.append(value.text or ("The page has no text." if not value.total else "There is no text from here on."))
        if end < value.total and value.text:
            parts.append(
                f"[Characters {value.start} to {end} of {value.total}. To read on, call again with start={end}.]"
            )
        return "\n".join(parts)


def _check_address(url: str) -> None:
    """Check an address before anything is done with it.

    Raises:
        ToolServiceError: It is no address of a page.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        shown = json.dumps(shown_address(url), ensure_ascii=False)
        raise ToolServiceError(
            f"{shown} is no address of a page: it has to begin with http:// or https:// and name a host."
        )
    if "@" in parts.netloc:
        raise ToolServiceError("The address has a user name or a password in it, which this tool does not send.")


async def _title_and_text(reply: Reply) -> tuple[str, str]:
    """The title of an answer, empty if it is no HTML, and its text.

    Raises:
        ToolServiceError: It is no text.
    """
    text = reply.require_text()
    if reply.media_type in _HTML or (not reply.media_type and text.lstrip()[:1] == "<"):
        # In a thread: a page of several megabytes takes a second.
        return await asyncio.to_thread(page_text, text, reply.url)
    return "", text


def _refuse_binary(reply: Reply) -> None:
    kind = reply.media_type
    is_text = kind.startswith("text/") or kind in _HTML or kind in _TEXTS or kind.endswith(("+json", "+xml"))
    if (kind and not is_text) or kind == "image/svg+xml":
        raise ToolServiceError(f"{reply.source} is {kind}, which is no text. This tool reads text only.")
