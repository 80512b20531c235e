"""The tables of a memory in SQLite, and the searches in them. Everything here waits for the disk.

``entries`` has the records, ``entries_text`` the index of their words (FTS5), and ``entries_code`` the codes of their
vectors (``sqlite-vec``), which are compared one by one. The vectors of the closest codes are then compared exactly.

Why not Python's own ``sqlite3``: many Pythons are built without the loading of extensions (pyenv's, and those of
python.org for macOS), and without a certain version of SQLite.
"""

from __future__ import annotations

import functools
import json
import re
import threading
import unicodedata
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Concatenate, Final, NamedTuple, ParamSpec, Protocol, TypeVar, cast

from symposia._lazy import lazy_module
from symposia.core.exceptions import InvalidArgumentError, MemoryStoreError, MissingExtraError
from symposia.ext.memory.sqlite._codes import bits_of_code, codes_of, unit_vectors

if TYPE_CHECKING:
    import apsw
    import numpy as np
else:
    apsw = lazy_module("apsw")
    np = lazy_module("numpy")

P = ParamSpec("P")
T = TypeVar("T")

BUSY_SECONDS: Final = 60
"""How long a write waits for those of other processes."""

CANDIDATES: Final = 32
"""How many entries each of the two searches finds at least, before they are ranked together."""

MAX_TERMS: Final = 12
MAX_POSTINGS: Final = 6_000
"""How many words of a query are searched for, the rarest first, and how many entries may have them in all: ranking
100,000 entries that have a frequent word takes 200 ms."""

MAX_QUERY_TERMS: Final = 200
"""Words of a query that are looked at, from its beginning."""

RANK_OFFSET: Final = 60
"""Of reciprocal rank fusion; the value of its authors (Cormack, Clarke and Büttcher, 2009)."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL, record TEXT NOT NULL, metadata TEXT NOT NULL,
    vector BLOB NOT NULL
);
CREATE VIRTUAL TABLE IF NOT EXISTS entries_text USING fts5(
    text, content = 'entries', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE IF NOT EXISTS entries_terms USING fts5vocab('entries_text', 'row');
CREATE TRIGGER IF NOT EXISTS entries_added AFTER INSERT ON entries BEGIN
    INSERT INTO entries_text (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER IF NOT EXISTS entries_removed AFTER DELETE ON entries BEGIN
    INSERT INTO entries_text (entries_text, rowid, text) VALUES ('delete', old.id, old.text);
END;
"""


class Rows(Protocol):
    """The result of a statement. Any: each row is a tuple of what the statement asks for."""

    def __iter__(self) -> Iterator[Any]: ...
    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """The methods of ``apsw.Connection`` that a store uses: its own types are partly unknown on Python 3.11."""

    def execute(self, statements: str, bindings: Sequence[object] = (), /) -> Rows: ...
    def executemany(self, statements: str, bindings: Iterable[Sequence[object]], /) -> object: ...
    def last_insert_rowid(self) -> int: ...
    def set_busy_timeout(self, milliseconds: int, /) -> None: ...
    def enable_load_extension(self, enable: bool, /) -> None: ...
    def load_extension(self, filename: str, /) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> object: ...
    def __exit__(self, *exception: object) -> bool | None: ...


class NewEntry(NamedTuple):
    """An entry to be added: its text, its record, its metadata as JSON, and its vector."""

    text: str
    record: str
    metadata: str
    vector: Sequence[float]


class FoundEntry(NamedTuple):
    """An entry that was found: the higher its score, at most 1, the better it fits."""

    id: int
    record: str
    score: float


def _one_at_a_time(
    method: Callable[Concatenate[Store, P], T],
) -> Callable[Concatenate[Store, P], T]:
    """Let one thread at a time use the connection, and report the errors of SQLite as those of the memory."""

    @functools.wraps(method)
    def locked(self: Store, *args: P.args, **kwargs: P.kwargs) -> T:
        with self.lock:
            try:
                return method(self, *args, **kwargs)
            except apsw.Error as error:
                raise MemoryStoreError(
                    f"The memory in {self.path} fails: {error}. Check that the file is a memory of Symposia, and that "
                    "there is room on its disk."
                ) from error

    return locked


class Store:
    """The file of a memory. It is opened by the first call, and again after `close`.

    Args:
        path: The file, which is made if it does not exist.
        embedder: The name of the embedder, which is that of the file for ever.
    """

    def __init__(self, path: str, embedder: str) -> None:
        self.path = path
        self.lock = threading.Lock()
        self._embedder = embedder
        self._open_connection: Connection | None = None
        self._counts: dict[str, int] = {}
        self._counts_version = -1

    @_one_at_a_time
    def add(self, entries: Sequence[NewEntry]) -> list[int]:
        """Add entries in one transaction, and return their ids."""
        if not entries:
            return []
        units = unit_vectors([entry.vector for entry in entries])
        codes = codes_of(units)
        with self._transaction() as connection:
            self._claim_dimensions(connection, units.shape[1])
            ids: list[int] = []
            for entry, unit in zip(entries, units, strict=True):
                connection.execute(
                    "INSERT INTO entries (text, record, metadata, vector) VALUES (?, ?, ?, ?)",
                    (entry.text, entry.record, entry.metadata, unit.astype(np.float16).tobytes()),
                )
                ids.append(connection.last_insert_rowid())
            rows = ((id_, code.tobytes()) for id_, code in zip(ids, codes, strict=True))
            connection.executemany("INSERT INTO entries_code (id, code) VALUES (?, vec_bit(?))", rows)
        return ids

    @_one_at_a_time
    def newest(self, limit: int, where: Mapping[str, object]) -> list[FoundEntry]:
        """The entries that were added last."""
        condition, values = _condition(where)
        sql = f"SELECT id, record, 1.0 FROM entries WHERE {condition} ORDER BY id DESC LIMIT ?"  # noqa: S608 - no value in it
        return [FoundEntry(*row) for row in self._connection().execute(sql, (*values, limit))]

    @_one_at_a_time
    def search(
        self, text: str, vector: Sequence[float], limit: int, where: Mapping[str, object], min_similarity: float
    ) -> list[FoundEntry]:
        """The entries with the words of a text or with a vector that is similar, ranked by both."""
        candidates = max(CANDIDATES, 2 * limit)
        # One read transaction: another process may forget an entry between the searches.
        connection = self._connection()
        with connection:
            by_words = self._by_words(connection, text, candidates, where)
            by_vector = self._by_vector(connection, vector, candidates, where, min_similarity)
            scores: dict[int, float] = {}
            for ranking in (by_words, by_vector):
                for rank, id_ in enumerate(ranking):
                    scores[id_] = scores.get(id_, 0) + 1 / (RANK_OFFSET + 1 + rank)
            best = sorted(scores, key=lambda id_: (-scores[id_], id_))[:limit]
            records = dict(_rows_of(connection, "record", best))
        perfect = 2 / (RANK_OFFSET + 1)
        return [FoundEntry(id_, records[id_], round(scores[id_] / perfect, 4)) for id_ in best]

    @_one_at_a_time
    def forget(self, ids: Iterable[int] | None, where: Mapping[str, object] | None) -> int:
        """Remove entries: those of the ids with that metadata, or all.

        Returns:
            How many there were.
        """
        with self._transaction() as connection:
            condition, values = _condition(where or {})
            if ids is not None:
                condition += " AND id IN (SELECT value FROM json_each(?))"
                values.append(json.dumps(list(ids)))
            sql = f"SELECT id FROM entries WHERE {condition}"  # noqa: S608 - no value in it
            self._counts = {}
            gone: list[int] = [row[0] for row in connection.execute(sql, values)]
            if self._dimensions(connection) is not None:
                connection.executemany("DELETE FROM entries_code WHERE id = ?", ((id_,) for id_ in gone))
            connection.executemany("DELETE FROM entries WHERE id = ?", ((id_,) for id_ in gone))
        return len(gone)

    @_one_at_a_time
    def count(self) -> int:
        """How many entries there are."""
        return self._connection().execute("SELECT count(*) FROM entries").fetchall()[0][0]

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            if self._open_connection is not None:
                self._open_connection.close()
                self._open_connection = None

    def _by_words(self, connection: Connection, text: str, limit: int, where: Mapping[str, object]) -> list[int]:
        terms = _rarest({term: self._count_of(connection, term) for term in _terms(text)[:MAX_QUERY_TERMS]})
        if not terms:
            return []
        condition, values = _condition(where)
        narrowed = f"AND rowid IN (SELECT id FROM entries WHERE {condition})" if where else ""  # noqa: S608 - no value in it
        sql = f"SELECT rowid FROM entries_text WHERE entries_text MATCH ? {narrowed} ORDER BY rank LIMIT ?"  # noqa: S608
        match = " OR ".join(f'"{term}"' for term in terms)
        return [row[0] for row in connection.execute(sql, (match, *values, limit))]

    def _count_of(self, connection: Connection, term: str) -> int:
        """How many entries have a word.

        SQLite counts them one by one, which takes 6 ms for a word of 100,000 entries, so the counts of frequent words
        are kept until another process has written. Additions of this one only make them more frequent.
        """
        ((version,),) = connection.execute("PRAGMA data_version").fetchall()
        if version != self._counts_version:
            self._counts, self._counts_version = {}, version
        if term not in self._counts:
            rows = connection.execute("SELECT doc FROM entries_terms WHERE term = ?", (term,)).fetchall()
            count: int = rows[0][0] if rows else 0
            if count < MAX_POSTINGS:
                return count
            self._counts[term] = count
        return self._counts[term]

    def _by_vector(
        self,
        connection: Connection,
        vector: Sequence[float],
        limit: int,
        where: Mapping[str, object],
        min_similarity: float,
    ) -> list[int]:
        dimensions = self._dimensions(connection)
        if dimensions is None:
            return []
        self._check_dimensions(dimensions, len(vector))
        unit = unit_vectors([vector])
        condition, values = _condition(where)
        narrowed = f"AND id IN (SELECT id FROM entries WHERE {condition})" if where else ""  # noqa: S608 - no value in it
        sql = f"SELECT id FROM entries_code WHERE code MATCH vec_bit(?) AND k = ? {narrowed}"  # noqa: S608
        code = codes_of(unit)[0].tobytes()
        near = [row[0] for row in connection.execute(sql, (code, limit, *values))]
        if not near:
            return []
        ids, vectors = zip(*_rows_of(connection, "vector", near), strict=True)
        rows = np.frombuffer(b"".join(vectors), dtype=np.float16).reshape(len(ids), dimensions).astype(np.float32)
        similarities = rows @ unit[0]
        ranked = sorted(zip(similarities.tolist(), ids, strict=True), key=lambda pair: (-pair[0], pair[1]))
        return [id_ for similarity, id_ in ranked if similarity >= min_similarity]

    @contextmanager
    def _transaction(self) -> Generator[Connection]:
        """Write: the lock is taken at once, since a transaction that has read cannot wait for it."""
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _connection(self) -> Connection:
        if self._open_connection is None:
            try:
                import sqlite_vec  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs] - it has none

                _ = (apsw.Connection, np.ndarray)  # imports both
            except ImportError as error:
                raise MissingExtraError("SQLiteMemory", "sqlite-memory") from error
            connection = cast("Connection", apsw.Connection(self.path))
            try:
                self._prepare(connection, sqlite_vec.loadable_path())
            except BaseException:
                connection.close()
                raise
            self._open_connection = connection
        return self._open_connection

    def _prepare(self, connection: Connection, extension: str) -> None:
        connection.set_busy_timeout(BUSY_SECONDS * 1000)
        connection.enable_load_extension(True)
        connection.load_extension(extension)
        connection.enable_load_extension(False)
        # With a log, readers and a writer do not wait for each other. A crash of the program loses nothing; a power
        # failure may lose the last transactions, and leaves the file whole.
        connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA mmap_size = 1073741824")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_SCHEMA)
        connection.execute("INSERT OR IGNORE INTO settings VALUES ('embedder', ?)", (self._embedder,))
        connection.execute("COMMIT")
        (saved,) = connection.execute("SELECT value FROM settings WHERE name = 'embedder'").fetchall()[0]
        if saved != self._embedder:
            raise InvalidArgumentError(
                f"The vectors in {self.path} are of the embedder {saved!r}, with which those of {self._embedder!r} "
                "cannot be compared: give the memory that embedder, or another file."
            )

    def _dimensions(self, connection: Connection) -> int | None:
        rows = connection.execute("SELECT value FROM settings WHERE name = 'dimensions'").fetchall()
        return rows[0][0] if rows else None

    def _claim_dimensions(self, connection: Connection, dimensions: int) -> None:
        saved = self._dimensions(connection)
        if saved is None:
            connection.execute("INSERT INTO settings VALUES ('dimensions', ?)", (dimensions,))
            code = f"code bit[{bits_of_code(dimensions)}]"
            connection.execute(f"CREATE VIRTUAL TABLE entries_code USING vec0(id INTEGER PRIMARY KEY, {code})")
        else:
            self._check_dimensions(saved, dimensions)

    def _check_dimensions(self, saved: int, given: int) -> None:
        if saved != given:
            raise InvalidArgumentError(
                f"The vectors in {self.path} have {saved} dimensions, and the embedder {self._embedder!r} made one "
                f"with {given}. Give another model another name, and another file."
            )


def _condition(where: Mapping[str, object]) -> tuple[str, list[str]]:
    """The SQL of "the metadata has these values", and its values. JSON compares them, so that 1 and True differ."""
    condition, values = "TRUE", list[str]()
    for name, value in where.items():
        condition += " AND metadata -> ? IS json(?)"
        values += [f"$.{json.dumps(name)}", json.dumps(value)]
    return condition, values


def _rows_of(connection: Connection, column: str, ids: Sequence[int]) -> list[tuple[int, Any]]:  # Any: of the column
    sql = f"SELECT id, {column} FROM entries WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608 - a name of ours
    return connection.execute(sql, (json.dumps(ids),)).fetchall()


def _terms(text: str) -> list[str]:
    """The words of a text as the index has them: without case and accents."""
    folded = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return list(dict.fromkeys(re.findall(r"[^\W_]+", folded.lower())))


def _rarest(counts: Mapping[str, int]) -> list[str]:
    """The words that tell most, the rarest first, as many as can be ranked in a few milliseconds.

    One word is always left: the rarest of a query whose words are all frequent.
    """
    chosen: list[str] = []
    postings = 0
    for term, entries in sorted(counts.items(), key=lambda item: item[1]):
        postings += entries
        if len(chosen) == MAX_TERMS or (postings > MAX_POSTINGS and chosen):
            break
        if entries:
            chosen.append(term)
    return chosen
