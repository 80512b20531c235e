"""Connections to the file of a memory in SQLite: its schema, and what is checked before anything in it is changed.

Why not Python's own ``sqlite3``: many Pythons are built without the loading of extensions (pyenv's, and those of
python.org for macOS), and without a certain version of SQLite.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, cast

from symposia._lazy import lazy_module
from symposia.core.exceptions import InvalidArgumentError, MissingExtraError

if TYPE_CHECKING:
    import apsw
    import numpy as np
else:
    apsw = lazy_module("apsw")
    np = lazy_module("numpy")

BUSY_SECONDS: Final = 60
"""How long a write waits for those of other processes."""

_PAUSE_SECONDS: Final = 0.01
"""Between two attempts to begin a log."""

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

_LOG: Final = "PRAGMA journal_mode = WAL"
"""With a log, readers and a writer do not wait for each other. It is a property of the file."""

_SETTINGS: Final = """
-- A crash of the program loses nothing; a power failure may lose the last transactions, and leaves the file whole.
PRAGMA synchronous = NORMAL;
-- In KiB: room for the codes of a million entries, which each search reads. Rejected: to map the file, since a process
-- is killed that reads from a mapped file after another has cut it.
PRAGMA cache_size = -65536;
-- What is forgotten is overwritten.
PRAGMA secure_delete = ON;
"""


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


class OpenedFile(NamedTuple):
    """A connection to the file.

    Attributes:
        is_snapshot: Whether SQLite was told that the file does not change, so that the connection is for one use.
    """

    connection: Connection
    is_snapshot: bool


def open_file(path: str, embedder: str) -> OpenedFile:
    """Open the file, and make it if it does not exist.

    A file that this program may not write to can be queried. Where it may not write to the folder either, SQLite cannot
    make its files beside it, and reads such a file alone: as a snapshot, unless there is a log of changes, which it has
    to read too.

    Args:
        path: The file, or `IN_MEMORY`.
        embedder: The name of the embedder, which is that of the file for ever.

    Raises:
        InvalidArgumentError: It is another program's, of a newer version, or has vectors of another embedder.
        MissingExtraError: A library is not installed.
        apsw.Error: It cannot be opened.
    """
    extension = _vector_extension()
    try:
        return OpenedFile(_opened(path, extension, embedder, apsw.Connection(path)), is_snapshot=False)
    except apsw.CantOpenError:
        file = Path(path)
        if not file.is_file() or _size(Path(f"{path}-wal")):
            raise
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    snapshot = apsw.Connection(f"{file.absolute().as_uri()}?immutable=1", flags)
    return OpenedFile(_opened(path, extension, embedder, snapshot), is_snapshot=True)


def _opened(path: str, extension: str, embedder: str, raw: apsw.Connection) -> Connection:
    connection = cast("Connection", raw)
    try:
        connection.set_busy_timeout(BUSY_SECONDS * 1000)
        connection.enable_load_extension(True)
        connection.load_extension(extension)
        connection.enable_load_extension(False)
        is_new = _check_kind(path, connection)
        connection.execute(_SETTINGS).fetchall()  # apsw runs statements behind one with a result when that is read
        if is_new:
            _prepare(connection, embedder)
        _check_embedder(path, connection, embedder)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_kind(path: str, connection: Connection) -> bool:
    """Refuse the database of another program, before anything in it is changed.

    Returns:
        Whether it is empty.
    """
    # In one statement, since another process may be making the tables.
    sql = "SELECT *, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id, pragma_user_version"
    ((kind, version, tables),) = connection.execute(sql).fetchall()
    if kind != APPLICATION_ID and (kind or tables):
        raise InvalidArgumentError(
            f"The file {path} is a database of another program: give the memory a file of its own."
        )
    if version > VERSION:
        raise InvalidArgumentError(
            f"The memory in {path} was made by a newer version of Symposia (schema {version}, where this one "
            f"knows {VERSION}): install that version, or give another file."
        )
    return kind != APPLICATION_ID


def _prepare(connection: Connection, embedder: str) -> None:
    _keep_log(connection)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(_SCHEMA)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}")
    connection.execute("INSERT OR IGNORE INTO settings VALUES ('embedder', ?); COMMIT", (embedder,))


def _keep_log(connection: Connection) -> None:
    """Let the file have a log, which several processes may want at the same time.

    Raises:
        apsw.BusyError: Others have kept it from that for `BUSY_SECONDS`.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(_LOG).fetchall()
        except apsw.BusyError:
            # Here the timeout does not hold: two that read and want to write would wait for each other, so that SQLite
            # refuses one of them at once.
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _check_embedder(path: str, connection: Connection, embedder: str) -> None:
    (saved,) = connection.execute("SELECT value FROM settings WHERE name = 'embedder'").fetchall()[0]
    if saved != embedder:
        raise InvalidArgumentError(
            f"The vectors in {path} are of the embedder {saved!r}, with which those of {embedder!r} cannot be "
            "compared: give the memory that embedder, or another file."
        )


def require_libraries() -> None:
    """Import all libraries of the memory.

    Raises:
        MissingExtraError: One is not installed.
    """
    _vector_extension()


def _vector_extension() -> str:
    """The file of the extension of SQLite."""
    try:
        import sqlite_vec  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs] - it has none

        _ = (apsw.Connection, np.ndarray)  # imports both
    except ImportError as error:
        raise MissingExtraError("SQLiteMemory", "sqlite-memory") from error
    return sqlite_vec.loadable_path()


def _size(file: Path) -> int:
    """The bytes of a file; 0 if it does not exist."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
