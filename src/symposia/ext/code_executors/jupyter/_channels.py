"""The ZeroMQ sockets between this process and a kernel, merged into one queue of events.

They are read here and not by a ``KernelClient``, whose sockets take messages of any size: a kernel sends what was
printed within a fifth of a second in one message, and that can be a gigabyte.
"""

from __future__ import annotations

import asyncio
import importlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, cast

PORTS: Final = {
    f"{channel}_port": number for number, channel in enumerate(("shell", "iopub", "stdin", "control", "hb"), 1)
}
QUEUED: Final = 4
"""Messages that wait here and in the socket. A kernel whose output is not read as fast waits, or loses some."""
SMALL_BYTES: Final = 64 * 1024
"""A message up to this size takes less than a millisecond to parse. Larger ones are parsed in a worker thread."""


class Event(NamedTuple):
    """Something that a kernel did.

    Attributes:
        source: ``output`` and ``reply`` are messages; ``cut`` tells that output was lost, as it was too large;
            ``died`` that the kernel has ended.
        request: The id of the request that a message belongs to.
        kind: The kind of the message.
        content: What belongs to the kind.
    """

    source: Literal["output", "reply", "cut", "died"]
    request: str = ""
    kind: str = ""
    content: Mapping[str, object] = {}


class KernelChannels:
    """A connection to one kernel, over Unix sockets in a folder. Make it in a worker thread: it imports ZeroMQ.

    Args:
        folder: The folder of the sockets.
        largest_message: Bytes of output that are received at once, at most.
    """

    def __init__(self, folder: Path, largest_message: int) -> None:
        self.connection: Mapping[str, object] = {
            "transport": "ipc",
            "ip": str(folder / "kernel"),
            "key": secrets.token_hex(32),
            "signature_scheme": "hmac-sha256",
            **PORTS,
        }
        self._zmq: Any = importlib.import_module("zmq.asyncio")  # Any: its sockets have options as attributes
        session: Any = importlib.import_module("jupyter_client.session").Session  # Any: likewise
        self._session = session(key=str(self.connection["key"]).encode(), signature_scheme="hmac-sha256")
        self._largest_message = largest_message
        self._events: asyncio.Queue[Event] = asyncio.Queue(QUEUED)
        self._context: Any = None  # Any: see above
        self._sockets: dict[str, Any] = {}  # Any: see above
        self._readers: list[asyncio.Future[None]] = []

    def open(self, died: Awaitable[object]) -> None:
        """Connect, and begin to read.

        Args:
            died: Done when the kernel has ended.
        """
        base = importlib.import_module("zmq")
        self._context = self._zmq.Context()
        for name, kind in (("shell", base.DEALER), ("control", base.DEALER), ("iopub", base.SUB)):
            socket = self._context.socket(kind)
            socket.linger = 0
            socket.rcvhwm = QUEUED
            socket.maxmsgsize = self._largest_message
            self._sockets[name] = socket
        # A message over the limit ends the connection. ZeroMQ connects again by itself; only the monitor tells of it.
        self._sockets["monitor"] = self._sockets["iopub"].get_monitor_socket(base.EVENT_DISCONNECTED)
        for name in ("shell", "control", "iopub"):
            self._sockets[name].connect(f"ipc://{self.connection['ip']}-{PORTS[f'{name}_port']}")
        self._sockets["iopub"].setsockopt(base.SUBSCRIBE, b"")
        self._readers = [
            asyncio.ensure_future(reading)
            for reading in (
                self._read_messages("iopub", "output"),
                self._read_messages("shell", "reply"),
                self._repeat(self._sockets["monitor"].recv_multipart, Event("cut")),
                self._report(died, Event("died")),
            )
        ]

    async def send(self, kind: str, content: Mapping[str, object], channel: str = "shell") -> str:
        """Send a request, and return its id."""
        message = self._session.msg(kind, content=dict(content))
        await self._sockets[channel].send_multipart(self._session.serialize(message))
        return str(message["header"]["msg_id"])

    async def receive(self) -> Event:
        """Wait for the next event."""
        return await self._events.get()

    async def close(self) -> None:
        """Close the sockets."""
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        if self._sockets:
            self._sockets["iopub"].disable_monitor()
        for socket in self._sockets.values():
            socket.close(linger=0)
        self._sockets.clear()
        if self._context is not None:
            await asyncio.to_thread(self._context.term)  # waits for ZeroMQ's own thread

    async def _read_messages(self, channel: str, source: Literal["output", "reply"]) -> None:
        while True:
            frames = cast("list[bytes]", await self._sockets[channel].recv_multipart())
            with suppress(ValueError, KeyError, TypeError):  # not signed with the key, or no message at all
                message = await self._parsed(frames)
                request = str(message["parent_header"].get("msg_id"))
                await self._events.put(Event(source, request, str(message["msg_type"]), message["content"]))

    async def _parsed(self, frames: Sequence[bytes]) -> dict[str, Any]:  # Any: JSON
        def parse() -> dict[str, Any]:  # Any: JSON
            return self._session.deserialize(self._session.feed_identities(frames)[1])

        return parse() if sum(map(len, frames)) <= SMALL_BYTES else await asyncio.to_thread(parse)

    async def _repeat(self, wait: Callable[[], Awaitable[object]], event: Event) -> None:
        while True:
            await self._report(wait(), event)

    async def _report(self, awaited: Awaitable[object], event: Event) -> None:
        await awaited
        await self._events.put(event)
