"""The server's end of the conversation: frames in from the host, frames out, and an end when the host is gone.

While a block runs the server never waits for the host: a host that does not read would keep it from the block's time
limit. What the host does not take is queued. When the queue is long, the block's pipes are no longer read, so that the
block waits instead, and the queue grows by no more than the pipes hold.
"""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH120

from __future__ import annotations

import os
import select
import sys
from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ._frames import Frame, FrameDecoder, pack_frame

_CHUNK = 256 * 1024
_CONGESTED_BYTES = 256 * 1024


class HostGoneError(Exception):
    """The host has closed its end: the server ends, and with it, as it is PID 1, everything in the sandbox."""


class Channel:
    """Frames over two file descriptors.

    Args:
        receive_fd: Where the host's frames come from.
        send_fd: Where the server's go. Never waited for while a block runs: what it does not take yet is queued.
        max_data_bytes: Most bytes that a frame of the host may carry.
    """

    def __init__(self, receive_fd: int, send_fd: int, max_data_bytes: int) -> None:
        self.receive_fd = receive_fd
        self.send_fd = send_fd
        self._decoder = FrameDecoder(max_data_bytes)
        self._received: deque[Frame] = deque()
        self._unsent = bytearray()
        self._is_held = False
        os.set_blocking(send_fd, False)

    def receive(self) -> Frame:
        """Wait for the next frame.

        Raises:
            HostGoneError: The host has closed its end.
        """
        while not self._received:
            self.receive_some()
        return self._received.popleft()

    def receive_some(self) -> None:
        """Wait for some bytes. Frames that they complete are kept for `receive`.

        One at a time: a request and the one that cancels it may come in one piece.

        Raises:
            HostGoneError: The host has closed its end.
        """
        received = os.read(self.receive_fd, _CHUNK)
        if not received:
            raise HostGoneError
        self._received.extend(self._decoder.feed(received))

    @property
    def has_frame(self) -> bool:
        """Whether `receive` has a frame without waiting."""
        return bool(self._received)

    def is_quiet(self, seconds: float) -> bool:
        """Whether nothing comes from the host for so long."""
        return not self._received and not select.select([self.receive_fd], [], [], seconds)[0]

    def is_quiet_until(self, fd: int) -> bool:
        """Whether nothing comes from the host before a descriptor can be read."""
        return not self._received and self.receive_fd not in select.select([self.receive_fd, fd], [], [])[0]

    def send(self, header: Mapping[str, object], data: bytes = b"") -> None:
        """Queue a frame, and send as much of the queue as goes at once."""
        self._unsent += pack_frame(header, data)
        self.send_some()

    def hold(self, header: Mapping[str, object]) -> None:
        """Queue a frame that can wait for the next one, or until `send_some` is called.

        Sent alone it would wake the host up once more, which then takes a processor that the block could have.
        """
        self._is_held = self._is_held or not self._unsent
        self._unsent += pack_frame(header)

    def send_some(self) -> None:
        """Send as much of the queue as goes without waiting.

        Raises:
            HostGoneError: The host has closed its end.
        """
        self._is_held = False
        try:
            while self._unsent:
                sent = os.write(self.send_fd, memoryview(self._unsent)[:_CHUNK])
                del self._unsent[:sent]
        except BlockingIOError:
            return
        except OSError as error:
            raise HostGoneError from error

    def send_all(self) -> None:
        """Send the whole queue, and wait for it."""
        while self._unsent:
            select.select([], [self.send_fd], [])
            self.send_some()

    @property
    def unsent(self) -> bool:
        """Whether something is queued that should be sent as soon as that can be done."""
        return bool(self._unsent) and not self._is_held

    @property
    def congested(self) -> bool:
        """Whether so much is queued that nothing should be added."""
        return len(self._unsent) > _CONGESTED_BYTES


class NoConnections:
    """The connections of the blocks in a sandbox without a network: there are none. `Relay` overrides all of it."""

    def begin(self) -> None:
        """Take connections of a new block."""

    def end(self) -> None:
        """Close all connections: their block has ended."""

    def readers(self) -> list[int]:
        """The descriptors to read from."""
        return []

    def writers(self) -> list[int]:
        """The descriptors to write to."""
        return []

    def handle(self, readable: Iterable[int], writable: Iterable[int]) -> None:
        """Move bytes. Descriptors of others are ignored."""

    def take(self, frame: Frame) -> None:
        """Handle a frame of the host."""

    def has_too_much_queued(self) -> bool:
        """Whether sockets hold more memory of the kernel than a block may have."""
        return False


class Settings(NamedTuple):
    """The policy, and where things are; the names are those of the host's ``open`` request."""

    python: str
    environment: dict[str, str]
    work_folder: str
    scratch_folders: list[str]
    memory_counters: list[str]
    memory_bytes: int
    processes: int
    open_files: int
    server_open_files: int
    file_bytes: int
    inodes: int
    imported_ahead: list[str]
    output_limit_bytes: int
    output_kept_bytes: int
    artifacts: int
    artifact_bytes: int
    stateful: bool
    connections: int
    connections_a_block: int
    proxy_port: int
    data: list[str]


def read_settings(header: Mapping[str, object]) -> Settings:
    """Read the settings in an ``open`` request of the host."""
    settings = Settings._make(header[name] for name in Settings._fields)
    if settings.python:
        return settings
    # In an image of the user's own, which has its Python anywhere: a relative name would be looked for in the work
    # folder.
    folder = os.path.dirname(sys.executable)
    environment = {**settings.environment, "PATH": f"{folder}:{settings.environment['PATH']}"}
    return settings._replace(python=sys.executable, environment=environment)
