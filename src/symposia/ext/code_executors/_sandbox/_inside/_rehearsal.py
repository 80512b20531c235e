"""A rehearsal of a block in the server, while no request waits.

A fork leaves the memory of the server shared with the interpreter, so that each page that the server writes to next is
copied, and a count of references is enough to write to it. A block would wait for three hundred pages, and so for half
a millisecond to a whole one: a rehearsal has them copied before. `_script._warm_up` does the same in the interpreter.

Rejected: MADV_POPULATE_WRITE, which copies all pages of an area, of which few are written to, and is no faster for one.
"""

from __future__ import annotations

import os

from ._channel import Channel, NoConnections, Settings
from ._frames import pack_frame
from ._memory import MemoryWatch
from ._processes import Report, Started, Usage, nothing_else_runs
from ._runner import BlockRunner

_REQUEST = pack_frame({"kind": "run", "language": "python", "time_limit": 1.0}, b"0\n")
_NO_PROCESS = 0


class Rehearsal:
    """Goes through the steps of a block that does nothing, with pipes in the place of the host and the interpreter.

    The files and the memory are those of the sandbox, and stay as they are.
    """

    def __init__(self, settings: Settings, memory: MemoryWatch) -> None:
        requests, self._requests = os.pipe()
        self._channel = Channel(requests, os.open(os.devnull, os.O_WRONLY), len(_REQUEST))
        performance = _Performance(requests)
        self._runner = BlockRunner(self._channel, settings, performance, memory, performance, NoConnections())

    def run(self) -> None:
        """Go through the steps once."""
        os.write(self._requests, _REQUEST)
        self._runner.run(self._channel.receive())


class _Performance:
    """A block that prints a line and ends, without a process.

    Args:
        quiet_fd: Never readable: nothing ends.
    """

    def __init__(self, quiet_fd: int) -> None:
        self.ended_fd = quiet_fd
        self.first_status: int | None = None
        self.usage = Usage()

    def start(self, source: bytes, path: str) -> Started:
        del source, path
        return Started(_NO_PROCESS, _filled_pipe(b"\n"), _filled_pipe(b""), _filled_pipe(Report(0, 0.0, 0).pack()))

    def begin(self, started: Started) -> None:
        del started

    def reap(self) -> None:
        pass

    def end_reported(self, report: Report) -> bool:
        del report
        nothing_else_runs(_NO_PROCESS)
        return True

    def end_block(self) -> None:
        pass

    def make_way(self) -> None:
        pass

    def take_changes(self) -> list[str]:
        return []


def _filled_pipe(content: bytes) -> int:
    """The end to read from of a pipe that has some content, and no writer any more."""
    readable, writable = os.pipe()
    os.write(writable, content)
    os.close(writable)
    return readable
