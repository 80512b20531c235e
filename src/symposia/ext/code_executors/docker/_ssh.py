"""An engine behind SSH: each connection is an ``ssh`` process that runs ``docker system dial-stdio`` there.

That is how the ``docker`` command reaches such an engine, so what works for it works here: the user's configuration of
SSH, agent, host keys and connection sharing. The process has one end of a pair of sockets as its stdin and stdout. The
other end is a plain socket, for the SDK and for the event loop.

Rejected: the SDK's own way, which needs a second implementation of SSH (paramiko) with a configuration of its own, and
whose connections are no sockets; and ``ssh -L`` to the engine's socket, whose path differs from machine to machine.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable
from typing import Any, Final, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

CONNECT_SECONDS: Final = 10
ANSWER_SECONDS: Final = 60.0  # as the SDK waits for an answer
END_SECONDS: Final = 5.0
ERROR_BYTES: Final = 2048
# BatchMode: a question for a password would go to the terminal of a program that expects none.
OPTIONS: Final = ("-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}")
COMMAND: Final = "docker system dial-stdio"


class SSHAdapter(HTTPAdapter):
    """The connections of the SDK's client to an engine behind SSH, and of streams. `close` ends their processes.

    Args:
        address: ``ssh://[user@]host[:port]``.

    Raises:
        ValueError: It is not of that form.
    """

    def __init__(self, address: str) -> None:
        super().__init__()
        self.destination = destination(address)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._processes: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()
        self._pool = HTTPConnectionPool("localhost", timeout=ANSWER_SECONDS, open_socket=self.open_socket)
        self._pool.ConnectionCls = cast(
            "Any", SSHConnection
        )  # Any: the pool's own default does not fit its type either

    def open_socket(self) -> socket.socket:
        """Start a process, and return the socket that leads to the engine. Whether that answers shows in its use.

        Raises:
            OSError: There is no ``ssh``.
        """
        here, there = socket.socketpair()
        command = ["ssh", *OPTIONS, *self.destination, COMMAND]
        with there, self._lock:
            self._processes = [process for process in self._processes if process.poll() is None]
            try:
                # In a session of its own: Ctrl-C in a terminal would end it before the container is removed.
                process = subprocess.Popen(  # noqa: S603 - the user names the destination
                    command, stdin=there.fileno(), stdout=there.fileno(), stderr=self._errors, start_new_session=True
                )
            except BaseException:
                here.close()
                raise
            self._processes.append(process)
        return here

    def error_output(self) -> str:
        """The end of what the processes have said, in one line."""
        size = os.fstat(self._errors.fileno()).st_size
        end = os.pread(self._errors.fileno(), ERROR_BYTES, max(0, size - ERROR_BYTES))
        return " ".join(end.decode(errors="replace").split()).rstrip(".")

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> Any:
        return self._pool

    def get_connection(self, *_: Any, **__: Any) -> Any:  # before requests 2.32
        return self._pool

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        del proxies
        return request.path_url

    def close(self) -> None:
        super().close()
        self._pool.close()
        with self._lock:
            processes, self._processes = self._processes, []
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._errors.close()


class SSHConnection(HTTPConnection):
    """A connection of HTTP over a socket that `open_socket` opens."""

    def __init__(self, *arguments: Any, open_socket: Callable[[], socket.socket], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._open_socket = open_socket

    def connect(self) -> None:
        self.sock = self._open_socket()
        self.sock.settimeout(ANSWER_SECONDS)


def destination(address: str) -> list[str]:
    """The arguments of ``ssh`` for an address.

    Raises:
        ValueError: It is not of the form ``ssh://[user@]host[:port]``.
    """
    parts = urlsplit(address)
    if not parts.hostname or parts.password is not None or parts.path not in {"", "/"} or parts.query:
        raise ValueError("it is not of the form ssh://[user@]host[:port]")
    user = ["-l", parts.username] if parts.username else []
    port = ["-p", str(parts.port)] if parts.port else []
    return [*user, *port, "--", parts.hostname]
