"""One HTTP request of a tool and its answer, within limits: seconds, bytes, redirects and destinations.

Every failure is a `ToolServiceError`, whose text is written for the model that called the tool.
"""

from __future__ import annotations

import asyncio
import codecs
import re
import ssl
import zlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

from symposia._lazy import lazy_module
from symposia.core.exceptions import InvalidArgumentError, MissingExtraError, ToolServiceError
from symposia.core.text_limits import beginning_of
from symposia.ext._shown_addresses import shown_origin
from symposia.ext.tools._gzip import GzipDecoder

if TYPE_CHECKING:
    import httpcore2
    import httpx2

    from symposia.ext.tools import _checked_transport
else:
    httpcore2 = lazy_module("httpcore2")
    httpx2 = lazy_module("httpx2")
    _checked_transport = lazy_module("symposia.ext.tools._checked_transport")  # its classes have bases of httpx2

MIB: Final = 1024 * 1024
_NOT_OF_TEXTS: Final = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Encodings of Python that no server means; decoding some of them takes time that grows with the square of the size."""
_GZIP_OVERHEAD: Final = 1024
"""Bytes of headers and checksums, which a small body is smaller than."""
_QUOTED: Final = 500
"""Characters of an answer that an error quotes."""
_SNIFFED: Final = 4096
"""Characters at the beginning of an answer among which a binary has a zero. A page may have one by mistake, later."""
FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
"""Headers that say where a message ends, which the client knows best."""
_HEADER_NAME: Final = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_HEADER_VALUE: Final = re.compile(r"([!-~]+([ \t]+[!-~]+)*)?")
"""RFC 9110, section 5.5, without the characters beyond ASCII."""


@dataclass(frozen=True, kw_only=True)
class ExchangeLimits:
    """The limits of an exchange.

    Attributes:
        timeout: Seconds from the request to the end of the answer.
        max_bytes: Bytes of the body that are read, after decompression.
        max_redirects: How many redirects are followed.
        private: Whether addresses of this machine and its networks may be connected to.
        hosts: The only hosts that may be connected to; None for all. A leading dot allows every host below a name, and
            neither case nor a dot at the end counts.
    """

    timeout: float = 30.0
    max_bytes: int = 5 * MIB
    max_redirects: int = 0
    private: bool = True
    hosts: Sequence[str] | None = None

    def check(self, owner: str) -> None:
        """Check the values.

        Raises:
            InvalidArgumentError: One of them allows nothing at all.
        """
        if not self.timeout > 0:
            raise InvalidArgumentError(f"timeout of {owner} is {self.timeout!r}: give a number of seconds above 0.")
        if self.max_bytes < 1:
            raise InvalidArgumentError(f"max_bytes of {owner} is {self.max_bytes!r}: give a number of bytes above 0.")
        if self.max_redirects < 0:
            raise InvalidArgumentError(f"max_redirects of {owner} is {self.max_redirects!r}: give 0 or more.")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request.

    Attributes:
        method: The method.
        url: The address, with its query.
        headers: Further headers.
        content: The body.
        shown: How errors show its address, and the one that a redirect leads to.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None = None
    shown: Callable[[str], str] = shown_origin

    @property
    def source(self) -> str:
        """The address, for errors."""
        return self.shown(self.url)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer.

    Attributes:
        url: The address that answered, after redirects.
        source: The same for errors.
        status: The status.
        reason: The words of the status.
        media_type: The type of the body, without parameters and in lower case; empty if none is given.
        charset: The encoding of the text that the answer names; None if it names none.
        body: The body; empty before it is read.
        location: Where a redirect that was not followed leads, for errors; None if it is no redirect.
    """

    url: str
    source: str
    status: int
    reason: str
    media_type: str
    charset: str | None
    location: str | None = None
    body: bytes = b""

    @property
    def text(self) -> str:
        """The body as text. Bytes that are not in its encoding become U+FFFD."""
        charset = self.charset or "utf-8"
        try:
            if codecs.lookup(charset).name in _NOT_OF_TEXTS:
                charset = "utf-8"
            text = self.body.decode(charset, "replace")
        except (LookupError, ValueError):  # an encoding that does not exist, or is none of texts
            text = self.body.decode("utf-8", "replace")
        return text.removeprefix("\ufeff")

    def require_text(self) -> str:
        """The body as text, whatever type the answer says it has.

        Raises:
            ToolServiceError: It is no text.
        """
        text = self.text
        if "\0" in text[:_SNIFFED]:
            kind = self.media_type or "an unknown type"
            raise ToolServiceError(
                f"{self.source} answered with {len(self.body)} bytes of {kind}, which are no text. "
                "This tool reads text only."
            )
        return text

    def require_success(self) -> None:
        """Check the status.

        Raises:
            ToolServiceError: It is no status of success; the text has the status and the beginning of the answer.
        """
        if 200 <= self.status < 300:  # noqa: PLR2004 - the statuses of success
            return
        if self.location is not None:
            raise ToolServiceError(
                f"{self.source} answered with HTTP {self.status}, a redirect to {self.location}, which is not followed."
            )
        said = self.text.strip()
        shown = f": {beginning_of(said, _QUOTED)}" if said else "."
        raise ToolServiceError(f"{self.source} answered with HTTP {self.status} {self.reason}{shown}")


def require_httpx(feature: str, extra: str) -> None:
    """Check that the HTTP client is installed.

    Raises:
        MissingExtraError: It is not.
    """
    try:
        import_module("httpx2")
    except ImportError as error:
        raise MissingExtraError(feature, extra) from error


async def exchange(call: Call, limits: ExchangeLimits) -> Reply:
    """Send a request and read the answer, whatever its status is.

    Raises:
        ToolServiceError: The server cannot be reached, does not answer in time, or answers with too much.
    """
    async with opened(call, limits) as (reply, body):
        return replace(reply, body=await body.read())


class Body:
    """The body of an answer that is not read yet."""

    def __init__(self, response: httpx2.Response, source: str, limits: ExchangeLimits) -> None:
        self._response = response
        self._source = source
        self._most = limits.max_bytes

    async def read(self) -> bytes:
        """Read all of it.

        Raises:
            ToolServiceError: It is larger than the limit.
        """
        decoder = self._decoder()
        declared = self._response.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._most:
            raise self._too_large(f"{int(declared)} bytes")
        pieces: list[bytes] = []
        size = received = 0
        async for raw in self._response.aiter_raw():
            received += len(raw)
            piece = decoder.decode(raw, self._most - size + 1) if decoder else raw
            size += len(piece)
            if size > self._most or received > 2 * self._most + _GZIP_OVERHEAD:
                raise self._too_large(f"more than {self._most} bytes")
            pieces.append(piece)
        if decoder and decoder.is_broken_off:
            raise zlib.error("the compressed data ends early")
        return b"".join(pieces)

    def _decoder(self) -> GzipDecoder | None:
        """What decompresses the body; None if it is not compressed.

        Raises:
            ToolServiceError: The answer is compressed in a way that was not asked for.
        """
        encoding = self._response.headers.get("content-encoding", "identity").strip().lower()
        if encoding in {"identity", ""}:
            return None
        if encoding not in {"gzip", "x-gzip"}:
            raise ToolServiceError(f"{self._source} answered in the encoding {encoding[:20]}, which was not asked for.")
        return GzipDecoder()

    def _too_large(self, size: str) -> ToolServiceError:
        return ToolServiceError(
            f"The answer of {self._source} is too large: {size}. This tool reads at most {self._most} bytes."
        )


@asynccontextmanager
async def opened(call: Call, limits: ExchangeLimits) -> AsyncGenerator[tuple[Reply, Body], None]:
    """Send a request; inside, the head of its answer is there, and the body can be read.

    A client for each exchange, although that gives up connections that are kept: a tool has no end at which it could
    close them, and they belong to the event loop of the call. The certificates, which take most of the time that a
    client needs, are loaded once.

    Raises:
        ToolServiceError: The server cannot be reached, or does not answer in time.
    """
    _check_headers(call)
    source = call.source
    certificates = await asyncio.to_thread(_certificates)
    transport = None
    if not limits.private or limits.hosts is not None:
        transport = _checked_transport.CheckedTransport(certificates, private=limits.private, hosts=limits.hosts)
    try:
        async with (
            asyncio.timeout(limits.timeout),
            httpx2.AsyncClient(
                transport=transport,
                verify=certificates,
                timeout=None,  # the limit of the whole exchange is above
                headers={"User-Agent": "symposia", "Accept-Encoding": "gzip"},
            ) as client,
            _answered(client, call, limits.max_redirects) as response,
        ):
            reply = _reply(response, call)
            yield reply, Body(response, reply.source, limits)
    except TimeoutError as error:
        raise ToolServiceError(f"{source} did not answer within {limits.timeout:g} seconds.") from error
    except httpx2.InvalidURL as error:
        raise ToolServiceError(f"{source!r} is no address of a web page: {error}.") from error
    # The checked transport has the errors of the library below.
    except (httpx2.HTTPError, httpcore2.NetworkError, httpcore2.ProtocolError, zlib.error) as error:
        why = str(error) or type(error).__name__
        raise ToolServiceError(f"{source} cannot be reached, or broke off its answer: {why}") from error


def _check_headers(call: Call) -> None:
    """Check what the client would quote in its error, a key included.

    Raises:
        ToolServiceError: A header cannot be sent.
    """
    request = f"the request to {call.source}"
    for name, value in call.headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ToolServiceError(f"{name!r}, in {request}, is no name of a header.")
        if name.lower() in FRAMING:
            raise ToolServiceError(f"The header {name} of {request} is set by the HTTP client: leave it out.")
        if not value.isascii():
            raise ToolServiceError(f"The header {name} of {request} has other characters than ASCII.")
        if not _HEADER_VALUE.fullmatch(value):
            raise ToolServiceError(
                f"The header {name} of {request} has a line break or a control character in its value, or a space at "
                "an end of it: remove it."
            )


@asynccontextmanager
async def _answered(
    client: httpx2.AsyncClient, call: Call, max_redirects: int
) -> AsyncGenerator[httpx2.Response, None]:
    """Send a request and follow its redirects, without their bodies: the client would read and decompress all of them.

    Raises:
        ToolServiceError: There are more redirects than are followed. With a limit of 0, the redirect is the answer.
    """
    request = client.build_request(call.method, call.url, headers=dict(call.headers), content=call.content)
    response = await client.send(request, stream=True)
    try:
        for _ in range(max_redirects):
            if response.next_request is None:
                break
            await response.aclose()
            # Without the user name and the password that the server may have written into the address.
            response = await client.send(response.next_request, stream=True, auth=httpx2.Auth())
        if max_redirects and response.next_request is not None:
            raise ToolServiceError(f"{call.source} redirects more than {max_redirects} times.")
        yield response
    finally:
        await response.aclose()


def _reply(response: httpx2.Response, call: Call) -> Reply:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Reply(
        url=str(response.url),
        source=call.shown(str(response.url)),
        status=response.status_code,
        reason=beginning_of(response.reason_phrase, _QUOTED),
        media_type=beginning_of(media_type, _QUOTED),
        charset=response.charset_encoding,
        location=call.shown(response.headers["location"]) if response.has_redirect_location else None,
    )


@cache
def _certificates() -> ssl.SSLContext:
    return httpx2.create_ssl_context()
