"""The way of a block to the host's proxy: a listener on loopback, whose connections are carried as frames.

Programs in the sandbox find the listener in variables such as ``HTTPS_PROXY``. It does not read what they say: it
carries bytes in both directions, and the host's side understands them, decides and connects. The sandbox has no other
way to a network, and this one ends in a program of the host, whatever happens inside.

The server itself listens, rather than a process beside it, which every block could kill, stop or stand in for. PID 1
cannot be signalled, and its port is taken before the first block begins.

Each connection has a window in each direction, the number of bytes that may be on their way. The sender counts down,
and the receiver gives back what it has passed on. A side that does not read so holds up its own connection and no
other, and neither side ever keeps more than a window.

Frames, in both directions unless said otherwise, each with the number of a connection, which is never used again:

- ``connect``, from the server: a block has connected;
- ``data``: bytes, within the window;
- ``window``: so many bytes more may be sent;
- ``end``: no more data comes in this direction;
- ``close``: the connection is gone. The other side does not answer.
"""

from __future__ import annotations

# Not `socket`, which imports a dozen modules more: the server would be larger, and each fork of it slower.
import _socket
import re
import select
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import cast

from ._channel import Channel, NoConnections
from ._frames import Frame

PORT = 3128  # any would do, as nothing else listens there; proxies often have this one
WINDOW = 128 * 1024  # at a round trip of a few milliseconds, tens of megabytes a second
_CHUNK = 32 * 1024
_BACKLOG = 128
_PAUSE_SECONDS = 0.01  # before it is tried again to accept a connection when descriptors are used up
# The kernel's memory of TCP connections is not counted by version 1 of the control groups. Windows bound what goes to
# the proxy, but without Landlock's fourth version a block can also connect to itself.
_MOST_SOCKETS = 1024
_MOST_QUEUED_BYTES = 64 * 1024 * 1024
_SOCKETS_OF_NO_INTEREST = 8
_IN_USE = re.compile(rb"^TCP: inuse (\d+)", re.MULTILINE)
_TIME_WAIT, _LISTEN = "06", "0A"


class _Connection:
    """One connection of a block.

    Attributes:
        number: Its name in frames.
        socket: The server's end.
        credit: Bytes that the host still takes.
        unsent: Bytes of the host that the block has not taken yet; at most a window.
        reads: Whether the block may still send.
        host_ended: Whether the host has sent all.
    """

    __slots__ = ("credit", "host_ended", "number", "reads", "socket", "unsent")

    def __init__(self, number: int, end: _socket.socket) -> None:
        self.number = number
        self.socket = end
        self.credit = WINDOW
        self.unsent = bytearray()
        self.reads = True
        self.host_ended = False


class Relay(NoConnections):
    """Carries the connections of one block after another.

    Args:
        channel: Leads to the host.
        most: Connections at once.
        most_a_block: Connections that a block may make. Further ones are closed at once, without a frame.
    """

    def __init__(self, channel: Channel, most: int, most_a_block: int) -> None:
        self._channel = channel
        self._most = most
        self._most_a_block = most_a_block
        self._made = 0
        self._last_number = 0
        self._connections: dict[int, _Connection] = {}  # by number
        self._by_fd: dict[int, _Connection] = {}
        self._listener = _listen()

    def begin(self) -> None:
        """Take connections of a new block. Those that an earlier one left in the queue are dropped."""
        self._made = 0
        while select.select([self._listener], [], [], 0)[0]:
            with suppress(OSError):
                _accepted(self._listener).close()

    def end(self) -> None:
        """Close all connections: their block has ended. The host does the same, without a frame."""
        for connection in list(self._connections.values()):
            self._forget(connection)

    def readers(self) -> list[int]:
        """The descriptors to read from: those whose bytes the host takes."""
        ready = [fd for fd, each in self._by_fd.items() if each.reads and each.credit > 0]
        return [*ready, self._listener.fileno()] if len(self._connections) < self._most else ready

    def writers(self) -> list[int]:
        """The descriptors to write to."""
        return [fd for fd, each in self._by_fd.items() if each.unsent]

    def handle(self, readable: Iterable[int], writable: Iterable[int]) -> None:
        """Move bytes. Descriptors of others are ignored."""
        for fd in writable:
            if fd in self._by_fd:
                self._send(self._by_fd[fd])
        for fd in readable:
            if fd in self._by_fd:
                self._receive(self._by_fd[fd])
            elif fd == self._listener.fileno():
                self._accept(self._listener)

    def take(self, frame: Frame) -> None:
        """Handle a frame of the host. One for a connection that is gone has crossed the frame that said so."""
        connection = self._connections.get(cast("int", frame.header["connection"]))
        if connection is None:
            return
        kind = frame.header["kind"]
        if kind == "data":
            connection.unsent += frame.data
            self._send(connection)
        elif kind == "window":
            connection.credit += cast("int", frame.header["bytes"])
        elif kind == "end":
            connection.host_ended = True
            self._send(connection)
        else:
            self._forget(connection)

    def has_too_much_queued(self) -> bool:
        """Whether the TCP sockets of the sandbox hold more memory of the kernel than a block may have."""
        # The list of sockets takes the kernel milliseconds, since it goes through those of all network namespaces. It
        # is only asked for where there are more than the relay knows of: two for each connection, and the listener.
        if _tcp_sockets() - 2 * len(self._connections) <= _SOCKETS_OF_NO_INTEREST:
            return False
        sockets = _queues("/proc/self/net/tcp")
        return len(sockets) > _MOST_SOCKETS or sum(sockets) > _MOST_QUEUED_BYTES

    def _accept(self, listener: _socket.socket) -> None:
        try:
            end = _accepted(listener)
        except OSError:  # the caller is gone again, or descriptors are used up, which another connection's end changes
            select.select([], [], [], _PAUSE_SECONDS)
            return
        self._made += 1
        if self._made > self._most_a_block:
            end.close()
            return
        end.setblocking(False)
        end.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self._last_number += 1
        connection = _Connection(self._last_number, end)
        self._connections[connection.number] = self._by_fd[end.fileno()] = connection
        self._channel.send({"kind": "connect", "connection": connection.number})

    def _receive(self, connection: _Connection) -> None:
        try:
            data = connection.socket.recv(min(_CHUNK, connection.credit))
        except BlockingIOError:
            return
        except OSError:
            self._close(connection)
            return
        if data:
            connection.credit -= len(data)
            self._channel.send({"kind": "data", "connection": connection.number}, data)
            return
        connection.reads = False
        self._channel.send({"kind": "end", "connection": connection.number})
        self._close_if_over(connection)

    def _send(self, connection: _Connection) -> None:
        try:
            sent = connection.socket.send(connection.unsent) if connection.unsent else 0
        except BlockingIOError:
            return
        except OSError:
            self._close(connection)
            return
        if sent:
            del connection.unsent[:sent]
            self._channel.send({"kind": "window", "connection": connection.number, "bytes": sent})
        if connection.host_ended and not connection.unsent:
            with suppress(OSError):  # the block has closed it
                connection.socket.shutdown(_socket.SHUT_WR)
            self._close_if_over(connection)

    def _close_if_over(self, connection: _Connection) -> None:
        if not connection.reads and connection.host_ended and not connection.unsent:
            self._close(connection)

    def _close(self, connection: _Connection) -> None:
        if connection.number in self._connections:
            self._forget(connection)
            self._channel.send({"kind": "close", "connection": connection.number})

    def _forget(self, connection: _Connection) -> None:
        del self._connections[connection.number], self._by_fd[connection.socket.fileno()]
        connection.socket.close()


def _listen() -> _socket.socket:
    listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    # Before `listen`, as the window that TCP grants is derived from it; accepted sockets have it too (tcp(7)).
    listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_RCVBUF, WINDOW)
    listener.bind(("127.0.0.1", PORT))
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def _accepted(listener: _socket.socket) -> _socket.socket:
    """The next connection, as `socket.socket.accept` takes it."""
    accept: Callable[[], tuple[int, object]] = getattr(listener, "_accept")  # noqa: B009 - type checkers do not know it
    return _socket.socket(fileno=accept()[0])


def _tcp_sockets() -> int:
    """How many TCP sockets of IPv4 are in use in this network namespace. The filter allows no others."""
    try:
        with open("/proc/self/net/sockstat", "rb") as file:  # noqa: PTH123 - as below
            found = _IN_USE.search(file.read())
    except FileNotFoundError:  # another kernel than Linux, such as gVisor's: the list is asked for each time
        return _MOST_SOCKETS
    return int(found[1]) if found else 0


def _queues(path: str) -> list[int]:
    """The bytes that each connected TCP socket of this network namespace holds, in both directions."""
    try:
        with open(path, encoding="ascii") as file:  # noqa: PTH123 - pathlib would be the largest part of the program
            rows = [line.split() for line in file.readlines()[1:]]
    except FileNotFoundError:  # as above; such a kernel's buffers are memory of the sandbox's own
        return []
    return [sum(int(queue, 16) for queue in row[4].split(":")) for row in rows if row[3] not in (_TIME_WAIT, _LISTEN)]
