"""The migration of one Python text."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from symposia._lazy import lazy_module
from symposia.migration._findings import FindingKind, Note, Use
from symposia.migration._syntax import TOO_DEEP

if TYPE_CHECKING:
    from symposia.migration import _renaming, _source
    from symposia.migration._v02 import _rewriting
else:  # they need libcst, which is an extra
    _renaming = lazy_module("symposia.migration._renaming")
    _source = lazy_module("symposia.migration._source")
    _rewriting = lazy_module("symposia.migration._v02._rewriting")

MARKS = ("autogen", "symposia.v02")
"""One of these is in the text of every program that may be rewritten."""

REASON = "# symposia migrate: "
"""Begins a comment that says why the code below it keeps the interface of AutoGen 0.2."""

_MENTION_OF_V02 = re.compile(r"\bautogen\b|\bsymposia\.v02\b")
_REASON_LINE = re.compile(rf"^[ \t]*{REASON}.*(?:\r\n|\r|\n)", re.MULTILINE)


class MigrationTarget(StrEnum):
    """To what programs are rewritten.

    Attributes:
        V04: To Symposia's names; programs for AutoGen 0.2 to the interface of 0.4, where that is certain.
        NAMES: To Symposia's names only; programs for AutoGen 0.2 keep their interface.
    """

    V04 = "v0.4"
    NAMES = "names"


@dataclass(frozen=True)
class MigratedText:
    """A Python text after its migration.

    Attributes:
        text: The new text.
        notes: What is missing, and what stays as it is, in the order of lines.
        uses: The uses of AutoGen's names and of attributes, in the order of lines.
    """

    text: str
    notes: Sequence[Note] = ()
    uses: Sequence[Use] = ()


def migrate_text(
    text: str,
    target: MigrationTarget = MigrationTarget.V04,
    *,
    in_notebook: bool = False,
    used_elsewhere: Collection[str] = (),
) -> MigratedText:
    """Rewrite a Python text. What is not changed stays character for character.

    A text that is no Python is left as it is, with a note. Reasons why the interface of AutoGen 0.2 is kept are
    comments in the new text, too, which the next migration replaces.

    Args:
        text: The text.
        target: To what it is rewritten.
        in_notebook: Whether it can await at its top level.
        used_elsewhere: Names that other programs import from it. An agent among them keeps its interface.

    Raises:
        MissingExtraError: libcst is not installed.
    """
    if not any(mark in text for mark in MARKS):
        return MigratedText(text)
    try:
        if target is MigrationTarget.V04 and _MENTION_OF_V02.search(text):
            return _to_v04(text, in_notebook=in_notebook, used_elsewhere=used_elsewhere)
        return _to_names(_source.parsed(text))
    except _source.SourceError as error:
        return MigratedText(text, [Note(line=error.line, kind=FindingKind.UNREADABLE, text=str(error))])
    except RecursionError:
        return MigratedText(text, [Note(line=1, kind=FindingKind.UNREADABLE, text=TOO_DEEP)])


def _to_names(source: _source.Source, more: Sequence[_source.Edit] = ()) -> MigratedText:
    renaming = _renaming.renaming(source)
    new = _source.edited(source, [*renaming.edits, *more])
    return MigratedText(new, sorted(set(renaming.notes)), sorted(renaming.uses, key=lambda use: (use.line, use.name)))


def _to_v04(text: str, *, in_notebook: bool, used_elsewhere: Collection[str]) -> MigratedText:
    source = _source.parsed(_REASON_LINE.sub("", text))
    rewriting = _rewriting.rewritten(source, in_notebook=in_notebook, used_elsewhere=used_elsewhere)
    if rewriting.text is not None:
        result = _to_names(_source.parsed(rewriting.text))
        return MigratedText(result.text, sorted([*rewriting.notes, *result.notes]), result.uses)
    edits = [_reason_edit(source, place, reason) for place, reason in rewriting.reasons]
    result = _to_names(source, edits)
    kept = [
        Note(line=_line_in(text, source.line_at(place)), kind=FindingKind.KEPT, text=reason)
        for place, reason in rewriting.reasons
    ]
    return MigratedText(result.text, sorted([*kept, *result.notes]), result.uses)


def _reason_edit(source: _source.Source, place: int, reason: str) -> _source.Edit:
    """The edit that puts a reason above a statement."""
    return _source.Edit(place, place, f"{REASON}{reason}{source.newline}{source.indent_at(place)}")


def _line_in(text: str, line: int) -> int:
    """The line in a text of a line that is counted without reasons."""
    for number, each in enumerate(text.splitlines(), 1):
        line -= not _REASON_LINE.match(f"{each}\n")
        if line == 0:
            return number
    return line
