"""The file of a memory in SQLite among threads: its connections, its transactions, and their errors."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from symposia._lazy import lazy_module
from symposia.core.exceptions import MemoryStoreError
from symposia.ext.memory.sqlite._opening import (
    BUSY_SECONDS,
    IN_MEMORY,
    Connection,
    OpenedFile,
    open_file,
    require_libraries,
)

if TYPE_CHECKING:
    import apsw
else:
    apsw = lazy_module("apsw")

MOST_CONNECTIONS: Final = 4
"""Of one memory: one that writes, and queries that do not wait for it. Each may keep 64 MiB of the file."""

_ADVICE: Final = {
    "BusyError": f"Another program writes to it for longer than {BUSY_SECONDS} s.",
    "CantOpenError": "Check that its folder is there, and can be written to.",
    "CorruptError": "The file is damaged: take a copy, or remove it.",
    "FullError": "Make room on its disk.",
    "IOError": "Check that its disk works and has room.",
    "ReadOnlyError": "Give this program the right to write to the file and to its folder.",
}
"""What to do, by the names of apsw's errors."""


class Database:
    """The file. It is opened by the first transaction, and again after `close`.

    Args:
        path: The file, which is made if it does not exist, or `IN_MEMORY`.
        embedder: The name of the embedder, which is that of the file for ever.
    """

    def __init__(self, path: str, embedder: str) -> None:
        self.path = path
        self.embedder = embedder
        self._writing = threading.Lock()
        # What is in memory is in one connection.
        self._most = 1 if path == IN_MEMORY else MOST_CONNECTIONS
        self._changed = threading.Condition()
        self._used = 0
        self._is_closing = False
        self._idle: list[OpenedFile] = []
        self._identity: tuple[int, int] | None = None  # of the file that is open

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Read, in one transaction: the file stays as it was at the beginning. No writer is waited for."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """Write, in one transaction. It locks at once, since a transaction that has read cannot wait for the lock."""
        # Threads of this program wait here: SQLite would try again after longer and longer pauses.
        with self._writing, self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        """Close the file after the transactions that are under way, and before those that begin meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_closing)
            self._is_closing = True
            try:
                self._changed.wait_for(lambda: not self._used)
                while self._idle:
                    self._idle.pop().connection.close()
                self._identity = None
            finally:
                self._is_closing = False
                self._changed.notify_all()

    @contextmanager
    def _transaction(self, begin: str) -> Generator[Connection]:
        require_libraries()  # before "except", which names an error of one
        try:
            with self._connection() as connection:
                connection.execute(begin)
                try:
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:  # it failed, and a full disk may have ended it already
                        connection.execute("ROLLBACK")
        except apsw.Error as error:
            advice = _ADVICE.get(type(error).__name__, "Check that the file is a memory of Symposia.")
            raise MemoryStoreError(f"The memory in {self.path} fails: {error}. {advice}") from error

    @contextmanager
    def _connection(self) -> Generator[Connection]:
        """A connection that no other thread uses meanwhile: the one that was used last, whose cache is warm."""
        with self._changed:
            self._changed.wait_for(lambda: self._used < self._most and not self._is_closing)
            self._used += 1
            opened = self._idle.pop() if self._idle else None
        try:
            opened = self._checked(opened)
            yield opened.connection
        finally:
            with self._changed:
                self._used -= 1
                self._changed.notify_all()
                if opened is not None and opened.is_snapshot:
                    opened.connection.close()
                elif opened is not None:
                    self._idle.append(opened)

    def _checked(self, opened: OpenedFile | None) -> OpenedFile:
        """The connection, or a new one, to the file that was opened first.

        Raises:
            MemoryStoreError: There is another one now, or none.
        """
        if self.path == IN_MEMORY:
            return opened or open_file(self.path, self.embedder)
        if self._identity is not None and _identity(self.path) != self._identity:
            raise MemoryStoreError(
                f"The file {self.path} of a memory was removed or replaced while it was open. Close the memory: its "
                "next call opens the file that is there then, or makes one."
            )
        if opened is None:
            opened = open_file(self.path, self.embedder)
            self._identity = _identity(self.path)
        return opened


def _identity(path: str) -> tuple[int, int] | None:
    """Which file a path names at present."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
