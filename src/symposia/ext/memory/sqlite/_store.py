"""The entries of a memory in SQLite, and the searches in them. Everything here waits for the disk.

``entries`` has the records, ``entries_text`` the index of their words (FTS5), and ``entries_code`` the codes of their
vectors (``sqlite-vec``), which are compared one by one. The vectors of the closest codes are then compared exactly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from symposia._lazy import lazy_module
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.memory._search import metadata_json
from symposia.ext.memory.embedders import vector_rows
from symposia.ext.memory.sqlite._codes import MAX_DIMENSIONS, bits_of_code, codes_of, unit_vectors
from symposia.ext.memory.sqlite._database import Database
from symposia.ext.memory.sqlite._opening import Connection, require_libraries
from symposia.ext.memory.sqlite._words import entries_with_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = lazy_module("numpy")

CANDIDATES: Final = 32
"""How many entries each of the two searches finds at least, before they are ranked together."""

MAX_CANDIDATES: Final = 4_096
"""The most that ``sqlite-vec`` finds."""

RANK_OFFSET: Final = 60
"""Of reciprocal rank fusion; the value of its authors (Cormack, Clarke and Büttcher, 2009)."""


class NewEntry(NamedTuple):
    """An entry to be added: its text, its record, and its metadata as JSON."""

    text: str
    record: str
    metadata: str


class FoundEntry(NamedTuple):
    """An entry that was found: the higher its score, at most 1, the better it fits."""

    id: int
    record: str
    score: float


class Store:
    """The entries of a memory.

    Args:
        path: The file, as `Database` takes it.
        embedder: The name of the embedder.
    """

    def __init__(self, path: str, embedder: str) -> None:
        self._database = Database(path, embedder)
        self._embedder = embedder
        self.close = self._database.close

    @property
    def path(self) -> str:
        """The file."""
        return self._database.path

    def add(self, entries: Sequence[NewEntry], vectors: object) -> list[int]:
        """Add entries with what the embedder returned for them, in one transaction, and return their ids."""
        require_libraries()
        units = unit_vectors(vector_rows(vectors, len(entries), self._embedder))
        codes = codes_of(units)
        with self._database.writing() as connection:
            self._claim_dimensions(connection, units.shape[1])
            ids: list[int] = []
            for entry, unit in zip(entries, units.astype(np.float16), strict=True):
                connection.execute(
                    "INSERT INTO entries (text, record, metadata, vector) VALUES (?, ?, jsonb(?), ?)",
                    (*entry, unit.tobytes()),
                )
                ids.append(connection.last_insert_rowid())
            coded = ((id_, code.tobytes()) for id_, code in zip(ids, codes, strict=True))
            connection.executemany("INSERT INTO entries_code (id, code) VALUES (?, vec_bit(?))", coded)
        return ids

    def newest(self, limit: int, where: Mapping[str, object]) -> list[FoundEntry]:
        """The entries that were added last."""
        condition, values = _condition(where)
        sql = f"SELECT id, record, 1.0 FROM entries WHERE {condition} ORDER BY id DESC LIMIT ?"  # noqa: S608 - no value in it
        with self._database.reading() as connection:
            return [FoundEntry(*row) for row in connection.execute(sql, (*values, limit))]

    def find_by_words(self, text: str, limit: int, where: Mapping[str, object]) -> list[int]:
        """The ids of entries with the rarest words of a text, the best first: some more than the limit."""
        with self._database.reading() as connection:
            return entries_with_words(connection, text, _candidates(limit), *_condition(where))

    def find_by_vector(
        self, vectors: object, limit: int, where: Mapping[str, object], min_similarity: float
    ) -> list[int]:
        """The ids of entries with similar vectors, the most similar first: some more than the limit.

        Args:
            vectors: What the embedder returned for one text.
            limit: How many entries are wanted.
            where: Their metadata.
            min_similarity: The least similarity.
        """
        require_libraries()
        unit = unit_vectors(vector_rows(vectors, 1, self._embedder))
        with self._database.reading() as connection:
            return self._by_vector(connection, unit, _candidates(limit), where, min_similarity)

    def best_of(self, rankings: Iterable[Sequence[int]], limit: int) -> list[FoundEntry]:
        """The entries that are ranked best by several searches together, without those that were forgotten since."""
        scores: dict[int, float] = {}
        for ranking in rankings:
            for rank, id_ in enumerate(ranking):
                scores[id_] = scores.get(id_, 0) + 1 / (RANK_OFFSET + 1 + rank)
        perfect = 2 / (RANK_OFFSET + 1)
        with self._database.reading() as connection:
            present = [id_ for id_, _ in _rows_of(connection, "NULL", list(scores))]
            best = sorted(present, key=lambda id_: (-scores[id_], id_))[:limit]
            records = dict(_rows_of(connection, "record", best))
        return [FoundEntry(id_, records[id_], round(scores[id_] / perfect, 4)) for id_ in best]

    def forget(self, ids: Sequence[int] | None, where: Mapping[str, object]) -> int:
        """Remove entries: those of the ids with that metadata, or all.

        Returns:
            How many there were.
        """
        with self._database.writing() as connection:
            condition, values = _condition(where)
            if ids is not None:
                condition += " AND id IN (SELECT value FROM json_each(?))"
                values.append(json.dumps(ids))
            sql = f"SELECT id FROM entries WHERE {condition}"  # noqa: S608 - no value in it
            gone: list[int] = [row[0] for row in connection.execute(sql, values)]
            if self._dimensions(connection) is not None:
                connection.executemany("DELETE FROM entries_code WHERE id = ?", ((id_,) for id_ in gone))
            connection.executemany("DELETE FROM entries WHERE id = ?", ((id_,) for id_ in gone))
        return len(gone)

    def count(self) -> int:
        """How many entries there are."""
        with self._database.reading() as connection:
            return connection.execute("SELECT count(*) FROM entries").fetchall()[0][0]

    def _by_vector(
        self,
        connection: Connection,
        unit: NDArray[np.float32],
        limit: int,
        where: Mapping[str, object],
        min_similarity: float,
    ) -> list[int]:
        dimensions = self._dimensions(connection)
        if dimensions is None:
            return []
        self._check_dimensions(dimensions, unit.shape[1])
        condition, values = _condition(where)
        narrowed = f"AND id IN (SELECT id FROM entries WHERE {condition})" if where else ""  # noqa: S608 - no value in it
        sql = f"SELECT id FROM entries_code WHERE code MATCH vec_bit(?) AND k = ? {narrowed}"  # noqa: S608
        code = codes_of(unit)[0].tobytes()
        near = [row[0] for row in connection.execute(sql, (code, limit, *values))]
        if not near:
            return []
        ids, found = zip(*_rows_of(connection, "vector", near), strict=True)
        rows = np.frombuffer(b"".join(found), dtype=np.float16).reshape(len(ids), dimensions).astype(np.float32)
        similarities = rows @ unit[0]
        ranked = sorted(zip(similarities.tolist(), ids, strict=True), key=lambda pair: (-pair[0], pair[1]))
        return [id_ for similarity, id_ in ranked if similarity >= min_similarity]

    def _dimensions(self, connection: Connection) -> int | None:
        rows = connection.execute("SELECT value FROM settings WHERE name = 'dimensions'").fetchall()
        return rows[0][0] if rows else None

    def _claim_dimensions(self, connection: Connection, dimensions: int) -> None:
        saved = self._dimensions(connection)
        if saved is None:
            if dimensions > MAX_DIMENSIONS:
                raise InvalidArgumentError(
                    f"The embedder {self._embedder!r} makes vectors of {dimensions} numbers, and a SQLiteMemory takes "
                    f"at most {MAX_DIMENSIONS}: use another model, or fewer dimensions of it."
                )
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


def _candidates(limit: int) -> int:
    return min(max(CANDIDATES, 2 * limit), MAX_CANDIDATES)


def _condition(where: Mapping[str, object]) -> tuple[str, list[str]]:
    """The SQL of "the metadata has these values", and its values. JSON compares them, so that 1 and True differ."""
    condition, values = "TRUE", list[str]()
    for name, value in where.items():
        condition += " AND metadata -> ? IS json(?)"
        values += [f"$.{json.dumps(name)}", metadata_json(value)]
    return condition, values


def _rows_of(connection: Connection, column: str, ids: Sequence[int]) -> list[tuple[int, Any]]:  # Any: of the column
    sql = f"SELECT id, {column} FROM entries WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608 - a name of ours
    return connection.execute(sql, (json.dumps(ids),)).fetchall()
