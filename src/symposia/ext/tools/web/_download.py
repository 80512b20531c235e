"""Reading a file of the web, for programs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from symposia.core.exceptions import InvalidArgumentError
from symposia.ext._shown_addresses import shown_address
from symposia.ext.tools._exchange import MIB, Call, ExchangeLimits, Reply, opened, require_httpx


@dataclass(frozen=True, kw_only=True, slots=True)
class WebFile:
    """A file that was read.

    Attributes:
        url: Its address, after redirects.
        media_type: Its type, without parameters and in lower case; empty if the server gives none.
        data: Its bytes.
        text: The bytes as text, by the encoding that the server names; what is not in it is U+FFFD.
    """

    url: str
    media_type: str
    data: bytes
    text: str


async def download(
    url: str,
    *,
    private: bool = False,
    timeout: float = 60.0,
    max_redirects: int = 5,
    max_bytes: int = 50 * MIB,
) -> WebFile:
    """Read a file of the web.

    Args:
        url: Its address, beginning with ``http://`` or ``https://``.
        private: Whether addresses of this machine and of private networks may be read; names and redirects that lead
            to them are refused otherwise, as `WebFetchTool` does.
        timeout: Seconds from the request to the end of the file, redirects included.
        max_redirects: How many redirects are followed.
        max_bytes: Bytes of the file; a larger one is refused.

    Raises:
        InvalidArgumentError: A limit allows nothing, or the address begins with something else.
        MissingExtraError: ``httpx2`` is not installed.
        ToolServiceError: The file may not be read, or cannot be; the text says which.
    """
    require_httpx("download", "web-tools")
    limits = ExchangeLimits(timeout=timeout, max_bytes=max_bytes, max_redirects=max_redirects, private=private)
    limits.check("download")
    if not url.lower().startswith(("http://", "https://")):
        raise InvalidArgumentError(f"{url!r} is no address of the web: it has to begin with http:// or https://.")
    call = Call(method="GET", url=url, headers={"Accept": "*/*"}, shown=shown_address)
    async with opened(call, limits) as (head, body):
        reply: Reply = replace(head, body=await body.read())
        reply.require_success()
    return WebFile(url=reply.url, media_type=reply.media_type, data=reply.body, text=reply.text)
