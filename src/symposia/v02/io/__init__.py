"""Streams for what agents print and what people answer: the terminal, WebSockets, or a class of the program."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.v02.io.base import InputStream, IOStream, OutputStream
    from symposia.v02.io.console import IOConsole
    from symposia.v02.io.websockets import IOWebsockets
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "base": ["InputStream", "IOStream", "OutputStream"],
            "console": ["IOConsole"],
            "websockets": ["IOWebsockets"],
        },
    )

__all__ = ["IOConsole", "IOStream", "IOWebsockets", "InputStream", "OutputStream"]
