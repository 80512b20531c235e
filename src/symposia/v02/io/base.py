"""Where agents print, and where people answer: a stream with `print` and `input`.

A context has its stream (`IOStream.set_default`), which its tasks inherit and new threads do not; elsewhere, the one of
the process holds (`IOStream.set_global_default`), at first the terminal.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Protocol, runtime_checkable

__all__ = ["IOStream", "InputStream", "OutputStream"]


@runtime_checkable
class OutputStream(Protocol):
    """Takes what is printed."""

    def print(self, *objects: object, sep: str = " ", end: str = "\n", flush: bool = False) -> None:
        """As Python's `print`."""
        ...


@runtime_checkable
class InputStream(Protocol):
    """Asks for lines."""

    def input(self, prompt: str = "", *, password: bool = False) -> str:
        """As Python's `input`; a password is not shown while it is typed."""
        ...


@runtime_checkable
class IOStream(InputStream, OutputStream, Protocol):
    """Both. Subclass it with the two methods, and make an object the default."""

    @staticmethod
    def get_default() -> IOStream:
        """The stream of this context, else that of the process."""
        return _of_context.get() or IOStream.get_global_default()

    @staticmethod
    @contextmanager
    def set_default(stream: IOStream | None) -> Generator[None]:
        """Make a stream the one of this context while the block runs; None stands for that of the process."""
        token = _of_context.set(stream)
        try:
            yield
        finally:
            _of_context.reset(token)

    @staticmethod
    def get_global_default() -> IOStream:
        """The stream of the process: the terminal, unless the program chose another."""
        if not _of_process:
            from symposia.v02.io.console import IOConsole  # noqa: PLC0415 - it is a subclass of this class

            _of_process.append(IOConsole())
        return _of_process[-1]

    @staticmethod
    def set_global_default(stream: IOStream) -> None:
        """Make a stream the one of the process, in all contexts without their own."""
        _of_process[:] = [stream]


_of_context: Final[ContextVar[IOStream | None]] = ContextVar("default_iostream", default=None)
_of_process: Final[list[IOStream]] = []
