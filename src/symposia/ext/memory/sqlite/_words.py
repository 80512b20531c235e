"""The search for entries by the words of a text, in the index of the full text search (FTS5)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from symposia.ext.memory.sqlite._opening import Connection

MAX_TERMS: Final = 12
MAX_POSTINGS: Final = 6_000
"""How many words of a query are ranked by, the rarest first, and how many entries may have them in all: ranking takes
about 1 µs an entry, and so 70 ms for a word that most of 100,000 entries have."""

COUNTED_POSTINGS: Final = (100, 400, 1_600, MAX_POSTINGS)
"""How far the entries that have a word are counted, step by step. The first 100 take no longer than any question to the
index, 30 µs."""

MAX_QUERY_TERMS: Final = 200
"""Words of a query that are looked at, from its beginning."""


def entries_with_words(
    connection: Connection, text: str, limit: int, condition: str, values: Sequence[str]
) -> list[int]:
    """The ids of the entries with the rarest words of a text, the best first.

    Args:
        connection: Of the file.
        text: The text.
        limit: How many are found at most.
        condition: What the entries have to satisfy, as SQL, or ``TRUE``.
        values: The values in it.
    """
    counts, frequent = _counts_of(connection, _terms(text)[:MAX_QUERY_TERMS])
    if rare := _rarest(counts):
        # Not by "rank": for that, FTS5 sorts every entry and not only the best, and keeps the places of its words.
        terms, order = " OR ".join(map(_quoted, rare)), "bm25(entries_text), rowid"
    else:
        # All the words are so frequent that an entry with them tells little: the newest entries that have all.
        terms, order = " AND ".join(map(_quoted, frequent[:MAX_TERMS])), "rowid DESC"
    if not terms:
        return []
    # Only the entries with the words are looked at.
    narrowed = f"AND (SELECT {condition} FROM entries WHERE id = entries_text.rowid)" if values else ""  # noqa: S608
    sql = f"SELECT rowid FROM entries_text WHERE entries_text MATCH ? {narrowed} ORDER BY {order} LIMIT ?"  # noqa: S608
    return [row[0] for row in connection.execute(sql, (terms, *values, limit))]


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
