"""The code cells of a notebook as one Python text, so that imports of one cell count in the next.

A changed cell is written in its place, and every other character of the file stays. Notebooks of version 4, and of
version 3, whose cells are in worksheets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from symposia.migration._cells import Cell, Placeholders
from symposia.migration._findings import FindingKind, Note, Use
from symposia.migration._json_spans import JsonSpan, with_lines
from symposia.migration._python import MigratedText


@dataclass(frozen=True)
class MigratedNotebook:
    """A notebook after its migration.

    Attributes:
        text: The JSON.
        notes: The findings with the number of their code cell, from 1; lines are those of the cell.
        uses: The uses of AutoGen's names and of attributes; lines are those of the cell.
    """

    text: str
    notes: Sequence[tuple[int, Note]]
    uses: Sequence[Use] = ()


def migrate_notebook(text: str, migrate: Callable[[str], MigratedText]) -> MigratedNotebook:
    """Rewrite the code cells of a notebook.

    Args:
        text: The file.
        migrate: Rewrites a Python text.
    """
    try:
        json.loads(text)
        spans = list(_code_of(JsonSpan.whole(text)))
        sources = [_text_of(span) for span in spans]
    except (ValueError, KeyError, TypeError, RecursionError):
        said = "It is no notebook of version 3 or 4: its cells cannot be read."
        return MigratedNotebook(text, [(0, Note(line=0, kind=FindingKind.UNREADABLE, text=said))])
    placeholders = Placeholders(text)
    read = [(number, Cell.read(number, source, placeholders)) for number, source in enumerate(sources, 1)]
    program = _Program([cell for _, cell in read if isinstance(cell, Cell)], placeholders.next())
    result = migrate(program.text)
    notes = [(number, note) for number, note in read if isinstance(note, Note)]
    notes += [program.place(note) for note in result.notes]
    changed = [
        (spans[number - 1], source) for number, source in program.sources(result.text) if source != sources[number - 1]
    ]
    uses = [program.place_use(use) for use in result.uses]
    return MigratedNotebook(_with_sources(text, changed), sorted(notes, key=lambda each: each[0]), uses)


def _code_of(notebook: JsonSpan) -> Iterator[JsonSpan]:
    """The sources of the code cells."""
    members = notebook.members()
    is_former = "worksheets" in members
    parts = [each.members() for each in members["worksheets"].elements()] if is_former else [members]
    for cells in (part["cells"] for part in parts):
        for cell in (each.members() for each in cells.elements()):
            if cell["cell_type"].value == "code":
                yield cell["input" if is_former else "source"]


def _text_of(source: JsonSpan) -> str:
    value = source.value
    if isinstance(value, str):
        return value
    lines = [line for line in value if isinstance(line, str)] if isinstance(value, list) else None
    if lines is None or lines != value:
        raise TypeError("A source is a text, or lines.")
    return "".join(lines)


def _with_sources(text: str, changed: Sequence[tuple[JsonSpan, str]]) -> str:
    """The JSON with other sources in some places."""
    ends = [(0, 0), *((span.start, span.end) for span, _ in changed), (len(text), len(text))]
    kept = [text[before[1] : after[0]] for before, after in pairwise(ends)]
    written = [with_lines(span, source) for span, source in changed]
    return kept[0] + "".join(new + rest for new, rest in zip(written, kept[1:], strict=True))


class _Program:
    """The cells in one text, with a line between each two by which it is split again."""

    def __init__(self, cells: Sequence[Cell], mark: str) -> None:
        self._cells = cells
        self._between = f"\n{mark}\n"
        self.text = "".join(cell.text + self._between for cell in cells)

    def sources(self, text: str) -> Sequence[tuple[int, str]]:
        """The cells' sources in the text that was made of `text`."""
        found: list[tuple[int, str]] = []
        for cell in self._cells:
            source, _, text = text.partition(self._between)
            found.append((cell.number, cell.restored(source)))
        return found

    def where(self, line: int) -> tuple[int, int]:
        """The cell, and the line in it, of a line of the whole text."""
        for cell in self._cells:
            height = cell.text.count("\n") + 2
            if line <= height:
                return cell.number, line
            line -= height
        return 0, 0

    def place_use(self, use: Use) -> Use:
        """A use in the whole text as one in a cell."""
        cell, line = self.where(use.line)
        return replace(use, cell=cell, line=line)

    def place(self, note: Note) -> tuple[int, Note]:
        """A note about the whole text as one about a cell."""
        cell, line = self.where(note.line)
        return cell, replace(note, line=line)
