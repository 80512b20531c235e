"""The seam between the host side and a backend: two byte streams, and a way to end what is behind them."""

from __future__ import annotations

from typing import Protocol


class Transport(Protocol):
    """The server's stdin and stdout, wherever it runs. One caller at a time reads, one writes."""

    async def read(self) -> bytes:
        """Some bytes of the server's stdout, at most 64 KiB or so; ``b""`` once it has ended.

        Cancelling it loses nothing: the next call returns what would have been returned.
        """
        ...

    async def write(self, data: bytes) -> None:
        """Send to the server's stdin, and wait while it is congested.

        Cancelling it stops the waiting, not the sending.

        Raises:
            OSError: The server has ended.
        """
        ...

    async def close(self) -> None:
        """Close the server's stdin, upon which it ends, and release all that belongs to the sandbox.

        Returns when it is gone. Where it does not end by itself within a second or so, it is killed. Closing twice, or
        after `kill`, is harmless.
        """
        ...

    async def kill(self) -> None:
        """End the sandbox from outside, without its help, and release all that belongs to it. Harmless twice."""
        ...

    def last_words(self) -> str:
        """What the server, or whatever started it, wrote on stderr: the reason, where it did not come up."""
        ...
