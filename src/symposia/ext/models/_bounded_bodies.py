"""The bodies of responses within limits: bytes received, bytes decompressed, and values of their JSON.

The limits are kept by a hook of the HTTP client, beneath the SDKs, which read errors and whole answers themselves. A
body that is too large ends at its limit, and its response says so: see `body_problem`. Rejected: an error raised while
the body is read, after which the SDKs try again.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Final, Protocol, cast

from symposia.core import uninterrupted

KIB: Final = 1024
MIB: Final = 1024 * KIB

MOST_OF_ERROR: Final = 64 * KIB
"""Bytes that are read of a response whose status is no success."""
MOST_OF_ANSWER: Final = 64 * MIB
"""Bytes that are read of an answer that is not streamed. The largest have images of some megabytes."""
MOST_OF_STREAM: Final = 256 * MIB
"""Bytes that are read of an answer that is streamed."""

MOST_VALUES: Final = 4_000_000
"""Values and names in JSON, about: 17,000 tokens with twenty alternatives each have as many."""

_PIECE: Final = 64 * KIB
"""Bytes that are decompressed at a time, between which the event loop runs."""
_GZIP: Final = frozenset({"gzip", "x-gzip"})
"""The only compression that is asked for: the HTTP clients undo it without a limit, so it is undone here."""
_PLAIN: Final = frozenset({"identity", ""})
_PROBLEM: Final = "symposia_body_problem"
"""The name of a response's extension."""
_LOST: Final = "symposia_lost_body"
"""The attribute of an error by which the body of an answer ended."""

_is_streamed: ContextVar[bool] = ContextVar("symposia_is_streamed", default=False)

Unpack = Callable[[bytes], Iterable[bytes]]


class BodyError(ValueError):
    """A body was not read to its end; the text says why."""


class OversizedBodyError(BodyError):
    """A body is larger than its limit.

    Args:
        limit: The limit, in bytes.
    """

    def __init__(self, limit: int) -> None:
        amount = f"{limit // MIB} MiB" if limit >= MIB else f"{limit // KIB} KiB"
        super().__init__(f"it is larger than {amount}, the most that is read, so the connection was closed")


class TooManyValuesError(ValueError):
    """A body has more values than are read."""

    def __init__(self) -> None:
        super().__init__(f"its JSON has more than {MOST_VALUES:,} values and names, the most that are read")


def check_values(data: bytes) -> None:
    """Check that JSON is no longer to parse than an event loop may be held: a second or two at most.

    64 MiB can hold 30 million values, which take up to six seconds and three gigabytes. To parse them in a thread does
    not help: the parser lets no other thread run. Counting takes a millisecond for each MiB. Characters within texts
    count as well, of which no answer has so many.

    Raises:
        TooManyValuesError: It has too many values.
    """
    if len(data) > MOST_VALUES and sum(map(data.count, (b",", b":", b"[", b"{"))) > MOST_VALUES:
        raise TooManyValuesError


@contextmanager
def expecting_stream() -> Generator[None]:
    """Let the bodies of the responses to requests inside be as large as streams may be."""
    token = _is_streamed.set(True)
    try:
        yield
    finally:
        _is_streamed.reset(token)


def body_problem(response: object) -> BodyError | None:
    """Why the body of a response was not read to its end; None if it was, or is no HTTP client's."""
    extensions = getattr(response, "extensions", None)
    return cast("dict[str, BodyError]", extensions).get(_PROBLEM) if isinstance(extensions, dict) else None


class ByteStream(Protocol):
    """The bytes of a body, as they arrive."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None: ...


def lost_body(error: BaseException | None) -> BaseException | None:
    """The error by which the body of an answer ended, among an error and its causes; None if there is none."""
    while error is not None and not hasattr(error, _LOST):
        error = error.__cause__
    return error


class UnreadResponse(Protocol):
    """A response of httpx2 or httpx."""

    status_code: int
    headers: MutableMapping[str, str]
    extensions: dict[str, object]
    stream: ByteStream


def accept_gzip(headers: MutableMapping[str, str]) -> None:
    """Ask for no other compression than the one that is undone here."""
    asked = {name.strip().lower() for name in headers.get("accept-encoding", "").split(",")}
    if not asked <= _GZIP | {"identity"}:
        headers["accept-encoding"] = "gzip"


async def bound_body(response: UnreadResponse) -> None:
    """Called with each response, before its body is read: have it end at its limit."""
    encoding = response.headers.pop("content-encoding", "").strip().lower()  # which the HTTP client would undo again
    limit = MOST_OF_ERROR if not _is_success(response) else MOST_OF_STREAM if _is_streamed.get() else MOST_OF_ANSWER
    # The base class of streams, which the HTTP clients check, is that of the client itself.
    base = next(each for each in type(response.stream).__mro__ if each.__name__ == "AsyncByteStream")
    response.stream = _bounded_type(base)(response, encoding, limit)


def _is_success(response: UnreadResponse) -> bool:
    return 200 <= response.status_code < 300  # noqa: PLR2004 - the statuses of success


class _BoundedBody:
    """The bytes of a body, decompressed and up to a limit."""

    def __init__(self, response: UnreadResponse, encoding: str, limit: int) -> None:
        self._extensions = response.extensions
        self._stream = response.stream
        self._encoding = encoding
        self._limit = limit
        self._is_answer = _is_success(response)

    @property
    def elapsed(self) -> object:
        """The time that the response took; httpx2 reads it here."""
        return getattr(self._stream, "elapsed", None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        stream = self._stream.__aiter__()
        try:
            unpack = _unpacking(self._encoding)
            received = left = self._limit
            async for raw in stream:
                received -= len(raw)
                for piece in unpack(raw):
                    yield piece[:left]
                    left -= len(piece)
                    self._check(left)
                    if piece is not raw:
                        await asyncio.sleep(0)
                self._check(received)
        except BodyError as problem:
            self._extensions[_PROBLEM] = problem
        except zlib.error as problem:
            self._extensions[_PROBLEM] = BodyError(f"its compressed data is broken ({problem})")
        except Exception as error:
            if self._is_answer:
                setattr(error, _LOST, True)  # the SDKs raise errors of theirs, which do not tell
            raise
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    def _check(self, left: int) -> None:
        if left < 0:
            raise OversizedBodyError(self._limit)

    async def aclose(self) -> None:
        # The connection of a body that was not read to its end is closed by this; any other goes back to its pool. Of a
        # task that is cancelled meanwhile, the HTTP clients would do neither, and not try again.
        await uninterrupted(self._stream.aclose())


@cache
def _bounded_type(base: type) -> type[_BoundedBody]:
    return cast("type[_BoundedBody]", type("BoundedBody", (_BoundedBody, base), {}))


def _unpacking(encoding: str) -> Unpack:
    """What undoes an encoding, a piece at a time.

    Raises:
        BodyError: It was not asked for.
    """
    if encoding in _PLAIN:
        return lambda raw: (raw,)
    if encoding not in _GZIP:
        raise BodyError(f"it is in the encoding {encoding[:100]!r}, which was not asked for")
    return _gunzipping()


def _gunzipping() -> Unpack:
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)  # with the header of gzip

    def unpack(raw: bytes) -> Iterable[bytes]:
        is_more = not unpacker.eof  # what follows the compressed data is left
        while is_more:
            piece = unpacker.decompress(raw, _PIECE)
            raw = unpacker.unconsumed_tail
            is_more = not unpacker.eof and (raw or len(piece) == _PIECE)
            if piece:
                yield piece

    return unpack
