"""The output of a block, on its way to the host.

A block waits for no host that reads slowly: what the host does not take yet is kept here, so that a block that prints
without end meets its limit as fast as it prints. The middle of its output is then left out, which the host would not
keep anyway: sixteen megabytes take the engine of Docker longer than the rest of the block.

Rejected: to leave the middle out of all that waits, as a listener of a block within its limit has to get everything.
"""

from __future__ import annotations

from ._channel import Channel, Settings

_PIECE = 64 * 1024
_SHARE_OF_MEMORY = 16  # what waits is memory of the sandbox: by default no less than the limit of output


def head_and_tail(kept: int) -> tuple[int, int]:
    """How many bytes are kept of the head and of the tail of a stream, of which so many are kept."""
    return kept - kept // 2, kept // 2


class Output:
    """The output of one block.

    Args:
        channel: Leads to the host.
        settings: The limits.
    """

    def __init__(self, channel: Channel, settings: Settings) -> None:
        self._channel = channel
        self._left = settings.output_limit_bytes
        self._most_waiting = min(self._left, settings.memory_bytes // _SHARE_OF_MEMORY)
        self._head, self._tail = head_and_tail(settings.output_kept_bytes)
        self._sent = {"stdout": 0, "stderr": 0}
        self._waiting = {stream: bytearray() for stream in self._sent}

    @property
    def is_full(self) -> bool:
        """Whether the block has to wait for the host."""
        return self._channel.congested and sum(map(len, self._waiting.values())) >= self._most_waiting

    def add(self, stream: str, data: bytes) -> bool:
        """Take a piece of output. Return whether it is within the limit; what is over it is thrown away."""
        taken = data[: self._left]
        self._left -= len(taken)
        if self._waiting[stream] or self._channel.congested:
            self._waiting[stream] += taken
        elif taken:
            self._send(stream, taken)
        return len(taken) == len(data)

    def send_some(self) -> None:
        """Give the channel as much of what waits as it should have."""
        for stream, waiting in self._waiting.items():
            while waiting and not self._channel.congested:
                self._send(stream, bytes(waiting[:_PIECE]))
                del waiting[:_PIECE]

    def end(self, *, cut: bool) -> None:
        """Give the channel all that waits.

        Args:
            cut: Whether the middle of each stream is left out.
        """
        for stream, waiting in self._waiting.items():
            head = max(0, self._head - self._sent[stream])
            left_out = len(waiting) - head - self._tail
            if cut and left_out > 0:
                self._send(stream, bytes(waiting[:head]))
                self._channel.send({"kind": "cut", "stream": stream, "bytes": left_out})
                del waiting[: head + left_out]
            self._send(stream, bytes(waiting))
            waiting.clear()

    def _send(self, stream: str, data: bytes) -> None:
        if data:
            self._sent[stream] += len(data)
            self._channel.send({"kind": "output", "stream": stream}, data)
