"""The file of a memory bank: memos, and the vectors of their topics. All of it waits for the disk.

The vectors are compared one by one. A bank has some memos for each task that a team was trained on, and comparing the
topics of 10,000 memos takes some hundredths of a second.

Each call opens the file anew, which takes a fraction of a millisecond: so a bank holds nothing that has to be closed,
and works in any thread, after a fork, and after its folder was removed.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from symposia._lazy import lazy_module
from symposia.core.exceptions import InvalidArgumentError, MemoryStoreError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = lazy_module("numpy")

BUSY_SECONDS: Final = 60
"""How long a call waits for the writes of other processes."""

_TABLES: Final = (
    "settings (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "memos (id INTEGER PRIMARY KEY AUTOINCREMENT, task TEXT, insight TEXT NOT NULL)",
    "topics (memo INTEGER NOT NULL, topic TEXT NOT NULL, vector BLOB NOT NULL)",
)


class FoundMemo(NamedTuple):
    """A memo that was found. The higher its relevance, which is above 0, the closer are its topics."""

    task: str | None
    insight: str
    relevance: float


class Search(NamedTuple):
    """What counts as found.

    Attributes:
        nearest: How many topics of the bank are looked at for each topic that is asked for.
        max_distance: Those that are further away are not looked at.
        conversion_threshold: The relevance of an equal topic, from which the distance is subtracted.
    """

    nearest: int
    max_distance: float
    conversion_threshold: float


class TopicIndex:
    """The file.

    Args:
        path: The file, which is made with its folders if it does not exist.
        embedder: The name of the embedder, which is that of the file for ever.
    """

    def __init__(self, path: Path, embedder: str) -> None:
        self._path = path
        self._embedder = embedder

    def add(self, task: str | None, insight: str, topics: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        """Add a memo, with the topics by which it is found."""
        units = _unit_vectors(vectors)
        with self._transaction() as connection:
            self._check_dimensions(connection, units.shape[1])
            memo = connection.execute("INSERT INTO memos (task, insight) VALUES (?, ?)", (task, insight)).lastrowid
            rows = [(memo, topic, unit.tobytes()) for topic, unit in zip(topics, units, strict=True)]
            connection.executemany("INSERT INTO topics (memo, topic, vector) VALUES (?, ?, ?)", rows)

    def find(self, vectors: Sequence[Sequence[float]], search: Search) -> list[FoundMemo]:
        """The memos whose topics are close to these vectors, the most relevant first.

        The relevance of a memo is the sum over all pairs of a topic that is asked for and one of its topics. Distances
        are squared Euclidean ones of vectors of the length 1: 0 for the same direction, 2 for a right angle.
        """
        units = _unit_vectors(vectors)
        with self._transaction() as connection:
            stored = connection.execute("SELECT memo, vector FROM topics ORDER BY rowid").fetchall()
            if not stored:
                return []
            self._check_dimensions(connection, units.shape[1])
            memos = [memo for memo, _ in stored]
            rows = np.frombuffer(b"".join(vector for _, vector in stored), dtype=np.float32).reshape(len(stored), -1)
            relevances: defaultdict[int, float] = defaultdict(float)
            for distances in 2 - 2 * (units @ rows.T):
                for place in np.argsort(distances, kind="stable")[: search.nearest]:
                    if (distance := float(distances[place])) <= search.max_distance:
                        relevances[memos[place]] += search.conversion_threshold - distance
            best = sorted((memo for memo in relevances if relevances[memo] > 0), key=lambda memo: -relevances[memo])
            return [_memo(connection, memo, relevances[memo]) for memo in best]

    def clear(self) -> None:
        """Remove all memos. The file may have another embedder from then on."""
        with self._transaction(check=False) as connection:
            for table in ("memos", "topics", "settings"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours

    @contextmanager
    def _transaction(self, *, check: bool = True) -> Generator[sqlite3.Connection]:
        """The file, in a transaction; it is undone if the block raises.

        Args:
            check: Whether the embedder has to be that of the file.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                with connection:
                    for table in _TABLES:
                        connection.execute(f"CREATE TABLE IF NOT EXISTS {table}")
                    if check:
                        self._check_setting(connection, "embedder", self._embedder)
                    yield connection
        except (sqlite3.Error, OSError) as error:
            raise MemoryStoreError(
                f"The memory bank in {self._path} fails: {error}. Check that the file is one of Symposia, and that "
                "there is room on its disk."
            ) from error

    def _check_dimensions(self, connection: sqlite3.Connection, dimensions: int) -> None:
        self._check_setting(connection, "dimensions", dimensions)

    def _check_setting(self, connection: sqlite3.Connection, name: str, value: str | int) -> None:
        """Set what holds for the whole file with the first use of it, and compare it from then on."""
        connection.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (name, value))
        (saved,) = connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        if saved != value:
            raise InvalidArgumentError(
                f"The {name} of the vectors in the memory bank {self._path} is {saved!r}, and not {value!r}. Use the "
                "embedder that the bank was made with, another path, or empty the bank with reset=True."
            )


def _unit_vectors(vectors: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths == 0, 1, lengths)).astype(np.float32)


def _memo(connection: sqlite3.Connection, id_: int, relevance: float) -> FoundMemo:
    task, insight = connection.execute("SELECT task, insight FROM memos WHERE id = ?", (id_,)).fetchone()
    return FoundMemo(task, insight, relevance)
