"""What a simulation does not offer: the world outside has its own time and its own order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn, TypeVar

from symposia.core.exceptions import SimulationBoundaryError

LoopT = TypeVar("LoopT", bound=asyncio.AbstractEventLoop)

REFUSED = {
    "a network connection": (
        "create_connection",
        "create_datagram_endpoint",
        "create_server",
        "create_unix_connection",
        "create_unix_server",
        "connect_accepted_socket",
        "getaddrinfo",
        "getnameinfo",
        "sendfile",
        "start_tls",
        "sock_accept",
        "sock_connect",
        "sock_recv",
        "sock_recv_into",
        "sock_recvfrom",
        "sock_recvfrom_into",
        "sock_sendall",
        "sock_sendfile",
        "sock_sendto",
    ),
    "a file descriptor": ("add_reader", "add_writer", "remove_reader", "remove_writer"),
    "a pipe": ("connect_read_pipe", "connect_write_pipe"),
    "a subprocess": ("subprocess_exec", "subprocess_shell"),
    "a signal": ("add_signal_handler", "remove_signal_handler"),
}


def without_the_outside(cls: type[LoopT]) -> type[LoopT]:
    """Let every method of a loop that reaches outside say so.

    Loops of this module have no selector, so those methods could only fail in ways that are hard to understand.
    """
    for what, methods in REFUSED.items():
        for method in methods:
            setattr(cls, method, _refuse(method, what))
    return cls


def _refuse(method: str, what: str) -> Callable[..., NoReturn]:
    def refuse(*_args: object, **_options: object) -> NoReturn:
        raise SimulationBoundaryError(
            f"loop.{method}() asks for {what}, which a simulation cannot control. Give the code under test a stand-in "
            "that lives in memory, or run this test on a real event loop."
        )

    return refuse
