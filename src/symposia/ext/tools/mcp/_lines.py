"""The messages of a server as lines of two streams of bytes, and what is known of the server besides.

The SDK has this too. It reads a line of any length (in quadratic time), and leaves the standard error to the terminal,
so that no error can say why a server did not start. The streams of messages are the SDK's.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from symposia._lazy import lazy_module
from symposia.core.json_values import encodable
from symposia.core.terminal_text import printable
from symposia.ext.tools.mcp._params import StdioServerParams

if TYPE_CHECKING:
    import anyio

    from symposia.ext.tools.mcp import _sdk as sdk
else:
    anyio = lazy_module("anyio")
    sdk = lazy_module("symposia.ext.tools.mcp._sdk")

_log: Final = logging.getLogger(__name__)

CHUNK: Final = 256 * 1024
_ENDS: Final = 512
"""Bytes that are kept of each end of a line above the limit: a message has its id at one of them."""
_KEPT: Final = 2_000
"""Characters of the standard error that are kept for an error."""
_STRAY_AT_ONCE: Final = 100
"""Lines that are no messages and are read before the event loop goes on: some milliseconds."""
_STRAY_LOGGED: Final = 20
"""Lines that are no messages and are logged, of one server."""

_FRAME: Final = re.compile("[\u2500-\u257f]+|^ {20,}")
"""The lines of boxes, and the padding of a column."""
_ID_FIRST: Final = re.compile(rb'^\s*\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(\d+)\s*,')
_ID_LAST: Final = re.compile(rb'"id"\s*:\s*(\d+)\s*\}\s*$')


class LongLine(NamedTuple):
    """A line above the limit, of which the ends are kept."""

    head: bytes
    tail: bytes

    @property
    def request_id(self) -> bytes | None:
        """The id of the request that it answers, if it is where SDKs write it."""
        found = _ID_FIRST.search(self.head) or _ID_LAST.search(self.tail)
        return None if found is None else found[1]


class LineSplitter:
    """Splits bytes into lines.

    Args:
        most: The most bytes of a line.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._pieces: list[bytes] = []
        self._size = 0
        self._long: LongLine | None = None

    def feed(self, data: bytes) -> Iterator[bytes | LongLine]:
        """Yield the lines that `data` ends."""
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._add(piece)
            yield self._take()
        self._add(rest)

    def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)  # joined once: adding to a line is quadratic
        self._size += len(piece)
        if self._size > self._most:
            known = b"".join(self._pieces)
            head = known[:_ENDS] if self._long is None else self._long.head
            self._long = LongLine(head, known[-_ENDS:])
            # The tail stays, since the end of the line may come in small pieces.
            self._pieces = [self._long.tail]

    def _take(self) -> bytes | LongLine:
        line = b"".join(self._pieces) if self._long is None else self._long
        self._pieces, self._size, self._long = [], 0, None
        return line


class ServerOutput:
    """What is known of a server besides its messages, for errors.

    Attributes:
        closed: Called when the server has closed its output, or a request to an address will get no answer.
        ending: How its process has ended, as a sentence; empty as long as that is not known.
        fault: Why its messages are no longer read, or the last request failed; None if that is not the reason.
    """

    def __init__(self, closed: Callable[[], None]) -> None:
        self.closed = closed
        self.ending: Callable[[], str] = str
        self.fault: str | None = None
        self._errors = ""
        self._stray = ""
        self._stray_lines = 0

    def add_error(self, text: str) -> None:
        """Keep text of the standard error."""
        self._errors = (self._errors + text)[-_KEPT:]
        if _log.isEnabledFor(logging.DEBUG):
            for line in text.splitlines():
                _log.debug("MCP server: %s", printable(line))

    def add_stray(self, line: str) -> None:
        """Keep a line of the standard output that is no message."""
        self._stray = line[:_KEPT]
        self._stray_lines += 1
        if self._stray_lines <= _STRAY_LOGGED:
            _log.warning("The MCP server wrote a line that is no message: %s", printable(line[:200]))
        if self._stray_lines == _STRAY_LOGGED:
            _log.warning("Further lines of this MCP server that are no messages are not logged.")

    def note_fault(self, fault: str | None) -> None:
        """Keep why the last request failed; None if it did not."""
        self.fault = fault

    def describe_fault(self) -> str:
        """The fault as a sentence; empty if there is none."""
        return f"{self.fault[:1].upper()}{self.fault[1:]}." if self.fault else ""

    def describe(self) -> str:
        """Sentences about the end of the process and its output; empty if nothing is known."""
        found = [self.ending(), self.describe_fault()]
        if self._errors.strip():
            found.append(f"It wrote on its standard error: {printable(_without_frames(self._errors))}")
        elif self._stray:
            found.append(f"It wrote what is no MCP message: {printable(self._stray)}")
        return " ".join(filter(None, found))


def _without_frames(text: str) -> str:
    """The lines of a text without boxes around them and padding: servers of the SDK write their log in columns."""
    lines = (" ".join(_FRAME.sub(" ", line).split()) if _FRAME.search(line) else line for line in text.splitlines())
    return "\n".join(line.rstrip() for line in lines if line.strip()).strip()


@asynccontextmanager
async def message_streams(
    params: StdioServerParams,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    output: ServerOutput,
    stop: Callable[[], Awaitable[None]],
) -> AsyncGenerator[tuple[Any, Any]]:
    """Pass messages as long as this is open.

    Args:
        params: The server.
        reader: What it writes.
        writer: What it reads.
        output: Is told what is no message.
        stop: Ends the server. Its output is read meanwhile.
    """
    incoming, read = anyio.create_memory_object_stream[Any](0)
    write, outgoing = anyio.create_memory_object_stream[Any](0)
    passing = _Lines(params, reader, writer, output)
    tasks = [asyncio.create_task(passing.read(incoming)), asyncio.create_task(passing.write(outgoing))]
    try:
        yield read, write
    finally:
        read.close()
        write.close()
        await stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for stream in (incoming, outgoing):
            stream.close()


def _answered(line: bytes) -> int | None:
    """The id of the request that a line answers which is no message; None if it is no answer."""
    try:
        message: object = json.loads(line)
    except RecursionError:
        found = LongLine(line[:_ENDS], line[-_ENDS:]).request_id
        return None if found is None else int(found)
    except ValueError:
        return None
    if not isinstance(message, dict) or "method" in message:
        return None
    number = cast("dict[str, object]", message).get("id")
    return number if isinstance(number, int) and not isinstance(number, bool) else None


class _Lines:
    """The tasks between the bytes and the messages."""

    def __init__(
        self,
        params: StdioServerParams,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        output: ServerOutput,
    ) -> None:
        self._params = params
        self._reader = reader
        self._writer = writer
        self._output = output

    async def read(self, incoming: Any) -> None:
        """Pass on the messages, until the output ends or cannot be read any more."""
        lines = LineSplitter(sdk.MOST_MESSAGE_BYTES)
        try:
            async with incoming:
                while data := await self._reader.read(CHUNK):
                    for number, line in enumerate(lines.feed(data), 1):
                        message = self._message(line)
                        if message is not None:
                            await incoming.send(message)
                        elif number % _STRAY_AT_ONCE == 0:
                            await asyncio.sleep(0)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            while await self._reader.read(
                CHUNK
            ):  # a server that cannot write does not read the end of its input either
                pass
        except OSError:  # the connection to a sandbox is lost, which is its end
            pass
        except (ValueError, LookupError) as error:
            self._output.fault = str(error)
        finally:
            self._output.closed()

    def _message(self, line: bytes | LongLine) -> object:
        if isinstance(line, LongLine):
            if line.request_id is None:
                raise ValueError(sdk.too_long())
            return sdk.failed_answer(int(line.request_id), sdk.too_long())
        if not line.strip():
            return None
        text = line.decode(self._params.encoding, self._params.encoding_error_handler).removeprefix("\ufeff")
        try:
            return sdk.read_message(text)
        except ValueError:
            pass
        try:
            # With U+FFFD in place of half of a surrogate pair, which a server may have read from a file.
            return sdk.read_message(encodable(json.dumps(json.loads(text), ensure_ascii=False)))
        except (ValueError, RecursionError):
            answered = _answered(line)
        if answered is not None:  # else its caller would wait for another answer
            return sdk.failed_answer(answered, "the server sent an answer that is none of the protocol")
        self._output.add_stray(text)
        return None

    async def write(self, outgoing: Any) -> None:
        """Pass on the messages to the server, until it is gone."""
        try:
            async with outgoing:
                try:
                    async for message in outgoing:
                        line = f"{sdk.write_message(message)}\n"
                        self._writer.write(line.encode(self._params.encoding, self._params.encoding_error_handler))
                        await self._writer.drain()
                except OSError:
                    # The server reads no more. It may have answered before: the end of its output is the end, and not a
                    # refusal to send, for which the SDK would end the session.
                    async for _unsent in outgoing:
                        pass
        except (ValueError, LookupError) as error:  # the encoding is unknown, or has not all characters
            self._output.fault = str(error)
            self._output.closed()
