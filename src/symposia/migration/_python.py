"""The migration of one Python text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from symposia._lazy import lazy_module
from symposia.migration._findings import FindingKind, Note

if TYPE_CHECKING:
    from symposia.migration import _renaming, _source
else:  # they need libcst, which is an extra
    _renaming = lazy_module("symposia.migration._renaming")
    _source = lazy_module("symposia.migration._source")

MARK = "autogen"
"""What every program for AutoGen has in its text."""


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
        uses: The names of AutoGen in the text, each with its line.
    """

    text: str
    notes: Sequence[Note] = ()
    uses: Sequence[tuple[int, str]] = ()


def migrate_text(text: str, target: MigrationTarget = MigrationTarget.V04) -> MigratedText:
    """Rewrite a Python text. What is not changed stays character for character.

    A text that is no Python is left as it is, with a note.

    Raises:
        MissingExtraError: libcst is not installed.
    """
    del target
    if MARK not in text:
        return MigratedText(text)
    try:
        source = _source.parsed(text)
    except _source.SourceError as error:
        return MigratedText(text, [Note(line=error.line, kind=FindingKind.UNREADABLE, text=str(error))])
    renaming = _renaming.renaming(source)
    return MigratedText(_source.edited(source, renaming.edits), sorted(set(renaming.notes)), sorted(renaming.uses))
