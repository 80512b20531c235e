"""The entries of a memory in SQLite, and the searches in them. Everything here waits for the disk.

``entries`` has the records, ``entries_text`` the index of their words (FTS5), and ``entries_code`` the codes of their
vectors (``sqlite-vec``), which are compared one by one. The vectors of the closest codes are then compared exactly.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from symposia._lazy import lazy_module
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.memory.embedders import vector_rows
from symposia.ext.memory.sqlite._codes import MAX_DIMENSIONS, bits_of_code, codes_of, unit_vectors
from symposia.ext.memory.sqlite._database import Database
from symposia.ext.memory.sqlite._opening import Connection, vector_extension

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = lazy_module("numpy")

CANDIDATES: Final = 32
"""How many entries each of the two searches finds at least, before they are ranked together."""

MAX_CANDIDATES: Final = 4_096
"""The most that ``sqlite-vec`` finds."""

MAX_TERMS: Final = 12
MAX_POSTINGS: Final = 6_000
"""How many words of a query are ranked by, the rarest first, and how many entries may have them in all: ranking takes
about 0.6 µs an entry, and so 50 ms for a word that most of 100,000 entries have."""

COUNTED_POSTINGS: Final = (100, 400, 1_600, MAX_POSTINGS)
"""How far the entries that have a word are counted, step by step. The first 100 take no longer than any question to the
index, 30 µs."""

MAX_QUERY_TERMS: Final = 200
"""Words of a query that are looked at, from its beginning."""

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
        vector_extension()
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

    def search(
        self, text: str, vectors: object, limit: int, where: Mapping[str, object], min_similarity: float
    ) -> list[FoundEntry]:
        """The entries with the words of a text or with a vector that is similar, ranked by both.

        Args:
            text: The text.
            vectors: What the embedder returned for it.
            limit: How many entries are found at most.
            where: Their metadata.
            min_similarity: Of those without a word of the text.
        """
        candidates = min(max(CANDIDATES, 2 * limit), MAX_CANDIDATES)
        vector_extension()
        unit = unit_vectors(vector_rows(vectors, 1, self._embedder))
        # One transaction: another process may forget an entry between the searches.
        with self._database.reading() as connection:
            by_words = self._by_words(connection, text, candidates, where)
            by_vector = self._by_vector(connection, unit, candidates, where, min_similarity)
            scores: dict[int, float] = {}
            for ranking in (by_words, by_vector):
                for rank, id_ in enumerate(ranking):
                    scores[id_] = scores.get(id_, 0) + 1 / (RANK_OFFSET + 1 + rank)
            best = sorted(scores, key=lambda id_: (-scores[id_], id_))[:limit]
            records = dict(_rows_of(connection, "record", best))
        perfect = 2 / (RANK_OFFSET + 1)
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

    def _by_words(self, connection: Connection, text: str, limit: int, where: Mapping[str, object]) -> list[int]:
        counts, frequent = _counts_of(connection, _terms(text)[:MAX_QUERY_TERMS])
        if rare := _rarest(counts):
            # Not by "rank": for that, FTS5 sorts every entry and not only the best, and keeps the places of its words.
            terms, order = " OR ".join(map(_quoted, rare)), "bm25(entries_text), rowid"
        else:
            # All the words are so frequent that an entry with them tells little: the newest entries that have all.
            terms, order = " AND ".join(map(_quoted, frequent[:MAX_TERMS])), "rowid DESC"
        if not terms:
            return []
        condition, values = _condition(where)
        # Only the entries with the words are looked at.
        narrowed = f"AND (SELECT {condition} FROM entries WHERE id = entries_text.rowid)" if where else ""  # noqa: S608
        sql = f"SELECT rowid FROM entries_text WHERE entries_text MATCH ? {narrowed} ORDER BY {order} LIMIT ?"  # noqa: S608
        return [row[0] for row in connection.execute(sql, (terms, *values, limit))]

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


def _condition(where: Mapping[str, object]) -> tuple[str, list[str]]:
    """The SQL of "the metadata has these values", and its values. JSON compares them, so that 1 and True differ."""
    condition, values = "TRUE", list[str]()
    for name, value in where.items():
        condition += " AND metadata -> ? IS json(?)"
        values += [f"$.{json.dumps(name)}", metadata_json(value)]
    return condition, values


def metadata_json(value: object) -> str:
    """A value of metadata as JSON, which is the same for values that are equal."""
    return json.dumps(value, sort_keys=True)


def _counts_of(connection: Connection, terms: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """How many entries have each word that may be ranked by, and the words that are more frequent.

    To count takes the longer the higher the count is. So a word is not counted further once the rarer words are as many
    as are ranked by, or have too many entries beside it.
    """
    counts: dict[str, int] = {}
    frequent = list(terms)
    left = MAX_POSTINGS
    for step in COUNTED_POSTINGS:
        most = min(step, left)
        counted = {term: _count_of(connection, term, most) for term in frequent}
        counts |= {term: count for term, count in counted.items() if 0 < count <= most}
        frequent = [term for term, count in counted.items() if count > most]
        left = MAX_POSTINGS - sum(counts.values())
        if len(counts) >= MAX_TERMS or left <= most:
            break
    return counts, frequent


def _count_of(connection: Connection, term: str, most: int) -> int:
    """How many entries have a word: one more than `most` for all that have more."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM entries_text WHERE entries_text MATCH ? LIMIT ?)"
    ((count,),) = connection.execute(sql, (_quoted(term), most + 1)).fetchall()
    return count


def _quoted(term: str) -> str:
    """A word as a query has it: it has no quotation mark, see `_terms`."""
    return f'"{term}"'


def _rows_of(connection: Connection, column: str, ids: Sequence[int]) -> list[tuple[int, Any]]:  # Any: of the column
    sql = f"SELECT id, {column} FROM entries WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608 - a name of ours
    return connection.execute(sql, (json.dumps(ids),)).fetchall()


def _terms(text: str) -> list[str]:
    """The words of a text. The index itself makes nothing of case and accents.

    Letters are composed: taken apart, a syllable of Korean or a voiced letter of Japanese is another word.
    """
    return list(dict.fromkeys(re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text).lower())))


def _rarest(counts: Mapping[str, int]) -> list[str]:
    """The words that tell most, the rarest first, as many as can be ranked in a few milliseconds."""
    chosen: list[str] = []
    postings = 0
    for term, entries in sorted(counts.items(), key=lambda item: item[1]):
        postings += entries
        if len(chosen) == MAX_TERMS or postings > MAX_POSTINGS:
            break
        chosen.append(term)
    return chosen
