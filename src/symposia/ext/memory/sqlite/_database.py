"""The file of a memory in SQLite: its schema, how it is opened, checked and shared by threads, and its errors.

Why not Python's own ``sqlite3``: many Pythons are built without the loading of extensions (pyenv's, and those of
python.org for macOS), and without a certain version of SQLite.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from symposia._lazy import lazy_module
from symposia.core.exceptions import InvalidArgumentError, MemoryStoreError, MissingExtraError

if TYPE_CHECKING:
    import apsw
    import numpy as np
else:
    apsw = lazy_module("apsw")
    np = lazy_module("numpy")

BUSY_SECONDS: Final = 60
"""How long a write waits for those of other processes."""

IN_MEMORY: Final = ":memory:"
"""The path of a memory that is no file, but lives in the process until it is closed."""

APPLICATION_ID: Final = 0x53594D4D  # "SYMM"
VERSION: Final = 1
"""In the header of the file: that it is a memory, and of which schema."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL, record TEXT NOT NULL, metadata BLOB NOT NULL,
    vector BLOB NOT NULL
);
CREATE VIRTUAL TABLE IF NOT EXISTS entries_text USING fts5(
    text, content = 'entries', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER IF NOT EXISTS entries_added AFTER INSERT ON entries BEGIN
    INSERT INTO entries_text (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER IF NOT EXISTS entries_removed AFTER DELETE ON entries BEGIN
    INSERT INTO entries_text (entries_text, rowid, text) VALUES ('delete', old.id, old.text);
END;
INSERT INTO entries_text (entries_text, rank) VALUES ('secure-delete', 1);
"""

_SETTINGS: Final = """
-- With a log, readers and a writer do not wait for each other. A crash of the program loses nothing; a power failure
-- may lose the last transactions, and leaves the file whole.
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
-- In KiB: room for the codes of a million entries, which each search reads. Rejected: to map the file, since a process
-- is killed that reads from a mapped file after another has cut it.
PRAGMA cache_size = -65536;
-- What is forgotten is overwritten.
PRAGMA secure_delete = ON;
"""

_ADVICE: Final = {
    "BusyError": f"Another program writes to it for longer than {BUSY_SECONDS} s.",
    "CantOpenError": "Check that its folder is there, and can be written to.",
    "CorruptError": "The file is damaged: take a copy, or remove it.",
    "FullError": "Make room on its disk.",
    "IOError": "Check that its disk works and has room.",
    "ReadOnlyError": "Give this program the right to write to the file and to its folder.",
}
"""What to do, by the names of apsw's errors."""


class Rows(Protocol):
    """The result of a statement. Any: each row is a tuple of what the statement asks for."""

    def __iter__(self) -> Iterator[Any]: ...
    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """The methods of ``apsw.Connection`` that are used: its own types are partly unknown on Python 3.11."""

    def execute(self, statements: str, bindings: Sequence[object] = (), /) -> Rows: ...
    def executemany(self, statements: str, bindings: Iterable[Sequence[object]], /) -> object: ...
    def last_insert_rowid(self) -> int: ...
    @property
    def in_transaction(self) -> bool: ...
    def set_busy_timeout(self, milliseconds: int, /) -> None: ...
    def enable_load_extension(self, enable: bool, /) -> None: ...
    def load_extension(self, filename: str, /) -> None: ...
    def close(self) -> None: ...


class Database:
    """The file. It is opened by the first transaction, and again after `close`.

    Args:
        path: The file, which is made if it does not exist, or `IN_MEMORY`.
        embedder: The name of the embedder, which is that of the file for ever.
    """

    def __init__(self, path: str, embedder: str) -> None:
        self.path = path
        self.embedder = embedder
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._opened: tuple[int, int] | None = None

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Read, in one transaction: the file stays as it was at the beginning."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """Write, in one transaction. It locks at once, since a transaction that has read cannot wait for the lock."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _transaction(self, begin: str) -> Generator[Connection]:
        with self._lock:  # one thread at a time
            try:
                connection = self._open()
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

    def _open(self) -> Connection:
        if self._connection is None:
            extension = vector_extension()
            connection = cast("Connection", apsw.Connection(self.path))
            try:
                connection.set_busy_timeout(BUSY_SECONDS * 1000)
                self._check_kind(connection)
                self._prepare(connection, extension)
            except BaseException:
                connection.close()
                raise
            self._connection, self._opened = connection, _identity(self.path)
        elif self.path != IN_MEMORY and _identity(self.path) != self._opened:
            raise MemoryStoreError(
                f"The file {self.path} of a memory was removed or replaced while it was open. Close the memory: its "
                "next call opens the file that is there then, or makes one."
            )
        return self._connection

    def _check_kind(self, connection: Connection) -> None:
        """Refuse the database of another program, before anything in it is changed."""
        # In one statement, since another process may be making the tables.
        sql = "SELECT *, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id, pragma_user_version"
        ((kind, version, tables),) = connection.execute(sql).fetchall()
        if kind != APPLICATION_ID and (kind or tables):
            raise InvalidArgumentError(
                f"The file {self.path} is a database of another program: give the memory a file of its own."
            )
        if version > VERSION:
            raise InvalidArgumentError(
                f"The memory in {self.path} was made by a newer version of Symposia (schema {version}, where this one "
                f"knows {VERSION}): install that version, or give another file."
            )

    def _prepare(self, connection: Connection, extension: str) -> None:
        connection.enable_load_extension(True)
        connection.load_extension(extension)
        connection.enable_load_extension(False)
        connection.execute(
            _SETTINGS
        ).fetchall()  # apsw runs the statements behind one with a result only when it is read
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_SCHEMA)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}")
        connection.execute("INSERT OR IGNORE INTO settings VALUES ('embedder', ?); COMMIT", (self.embedder,))
        (saved,) = connection.execute("SELECT value FROM settings WHERE name = 'embedder'").fetchall()[0]
        if saved != self.embedder:
            raise InvalidArgumentError(
                f"The vectors in {self.path} are of the embedder {saved!r}, with which those of {self.embedder!r} "
                "cannot be compared: give the memory that embedder, or another file."
            )


def vector_extension() -> str:
    """The file of the extension of SQLite. It imports all libraries of the memory.

    Raises:
        MissingExtraError: One is not installed.
    """
    try:
        import sqlite_vec  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs] - it has none

        _ = (apsw.Connection, np.ndarray)  # imports both
    except ImportError as error:
        raise MissingExtraError("SQLiteMemory", "sqlite-memory") from error
    return sqlite_vec.loadable_path()


def _identity(path: str) -> tuple[int, int] | None:
    """Which file a path names at present."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
