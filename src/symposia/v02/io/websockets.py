"""A stream over a WebSocket: each print is a message to the client, each answer one from it.

The server and each of its connections run in threads, since an agent's conversation may block while a person thinks.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Thread
from typing import Any, Protocol

from typing_extensions import override

from symposia.core.exceptions import MissingExtraError
from symposia.v02.io.base import IOStream

__all__ = ["IOWebsockets", "ServerConnection"]

_logger = logging.getLogger(__name__)


class ServerConnection(Protocol):
    """What a stream uses of a connection of the library ``websockets``."""

    def send(self, message: str) -> None:
        """Send a text."""
        ...

    def recv(self) -> str | bytes:
        """Wait for a message."""
        ...


class IOWebsockets(IOStream):
    """The stream of one connection.

    Args:
        websocket: The connection, of ``websockets.sync.server``.
    """

    def __init__(self, websocket: ServerConnection) -> None:
        self._websocket = websocket

    @property
    def websocket(self) -> ServerConnection:
        """The connection."""
        return self._websocket

    @override
    def print(self, *objects: object, sep: str = " ", end: str = "\n", flush: bool = False) -> None:
        """Send one message; half a surrogate pair, which no message can hold, is written as an escape."""
        text = sep.join(map(str, objects)) + end
        self._websocket.send(text.encode("utf-8", "backslashreplace").decode("utf-8"))

    @override
    def input(self, prompt: str = "", *, password: bool = False) -> str:
        """Send the prompt, if there is one, and wait for a message. The client is not told of passwords."""
        if prompt:
            self.print(prompt, end="")
        answer = self._websocket.recv()
        return answer.decode() if isinstance(answer, bytes) else answer

    @staticmethod
    @contextmanager
    def run_server_in_thread(
        *,
        host: str = "127.0.0.1",
        port: int = 8765,
        on_connect: Callable[[IOWebsockets], None],
        ssl_context: ssl.SSLContext | None = None,
        **kwargs: Any,  # Any: the options of `websockets`
    ) -> Generator[str]:
        """Serve connections while the block runs.

        Args:
            host: The address to listen at.
            port: The port; 0 is one that is free.
            on_connect: Is called with the stream of each connection, in a thread where it is the default stream. The
                connection is closed when it returns. When the client leaves, the next use of the stream raises
                ``websockets.exceptions.ConnectionClosed``, which may end the function.
            ssl_context: Serves ``wss``.
            **kwargs: Options of ``websockets.sync.server.serve``.

        Yields:
            The URI of the server, such as ``ws://127.0.0.1:8765``.

        Raises:
            MissingExtraError: The extra ``websockets`` is not installed.
            OSError: The port is taken.
        """
        try:
            from websockets.sync.server import serve  # noqa: PLC0415 - only a program that serves needs it
        except ImportError as error:
            raise MissingExtraError("IOWebsockets", "websockets") from error

        with serve(lambda socket: _converse(socket, on_connect), host, port, ssl=ssl_context, **kwargs) as server:
            thread = Thread(target=server.serve_forever, name="symposia-websockets", daemon=True)
            thread.start()
            try:
                yield f"{'wss' if ssl_context else 'ws'}://{host}:{server.socket.getsockname()[1]}"
            finally:
                server.shutdown()
                thread.join()


def _converse(socket: ServerConnection, on_connect: Callable[[IOWebsockets], None]) -> None:
    from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - as above

    stream = IOWebsockets(socket)
    with IOStream.set_default(stream):
        try:
            on_connect(stream)
        except ConnectionClosed as closed:
            _logger.warning("A client left, and the function for its connection ended: %s.", closed)
        except Exception:
            _logger.exception("The function for a connection failed. The connection is closed.")
