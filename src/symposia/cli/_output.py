"""Standard output and standard error that never fail: closed from the start, closed by ``| head``, on a full disk."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer


class LossyFile(io.FileIO):
    """A file whose writes always succeed: after the first error, data is dropped.

    Args:
        descriptor: An open file descriptor, which stays open.
        lost: Called with the first error.
    """

    def __init__(self, descriptor: int, lost: Callable[[OSError], None]) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._lost = lost
        self._is_lost = False

    def write(self, data: Buffer, /) -> int:
        """Write some of `data`, or drop all of it."""
        if not self._is_lost:
            try:
                return super().write(data) or 0
            except BlockingIOError:
                raise
            except OSError as error:
                self._is_lost = True
                self._lost(error)
        return memoryview(data).nbytes


def keep_output_from_failing(closed: str = "") -> None:
    """Replace ``sys.stdout`` and ``sys.stderr`` by streams that never fail.

    Args:
        closed: Written to standard error when standard output is closed by its reader; nothing when empty.
    """

    def stdout_lost(error: OSError) -> None:
        if error.errno != errno.EPIPE:
            sys.stderr.write(f"The output cannot be written: {error.strerror}.\n")
        elif closed:
            sys.stderr.write(f"{closed}\n")

    def stderr_lost(_error: OSError) -> None:
        """No stream is left to report the error on."""

    sys.stderr = _lossy(sys.stderr, 2, stderr_lost)
    sys.stdout = _lossy(sys.stdout, 1, stdout_lost)


def _lossy(stream: TextIO | None, descriptor: int, lost: Callable[[OSError], None]) -> TextIO:
    """A stream like `stream`, which is None where the descriptor was closed before the process began."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - open until the process ends
    stream.flush()
    file = LossyFile(descriptor, lost)
    return io.TextIOWrapper(
        io.BufferedWriter(file), stream.encoding, "replace", line_buffering=descriptor != 1 or file.isatty()
    )
