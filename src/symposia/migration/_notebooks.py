"""The code cells of a notebook as one Python text, so that imports of one cell count in the next.

Magics (``%pip``, ``!ls``, ``x = !pwd``, ``name?``) are no Python: they stand as placeholders while the text is changed.
Cells of other languages (``%%bash``) are left out. Outputs, metadata, other cells and the layout of the JSON stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, product
from typing import Any

from symposia.migration._findings import FindingKind, Note
from symposia.migration._python import MigratedText
from symposia.migration._syntax import syntax_problem

_PYTHON_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")
_MAGIC = re.compile(r"^\s*[%!?]|^\s*[\w, ]+=\s*[%!]|\?\s*$")
_ENDS = ("", "\n")
_INDENTS = (1, 2, 4, None, "\t")


@dataclass(frozen=True)
class MigratedNotebook:
    """A notebook after its migration.

    Attributes:
        text: The JSON.
        notes: The findings with the number of their code cell, from 1; lines are those of the cell.
        uses: The names of AutoGen with the number of their code cell and the line in it.
    """

    text: str
    notes: Sequence[tuple[int, Note]]
    uses: Sequence[tuple[int, int, str]] = ()


def migrate_notebook(text: str, migrate: Callable[[str], MigratedText]) -> MigratedNotebook:
    """Rewrite the code cells of a notebook.

    Args:
        text: The file.
        migrate: Rewrites a Python text.
    """
    try:
        notebook: Any = json.loads(text)
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        sources = ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError, RecursionError):
        note = Note(
            line=0, kind=FindingKind.UNREADABLE, text="It is no notebook of version 4: its cells cannot be read."
        )
        return MigratedNotebook(text, [(0, note)])
    placeholders = (f"__symposia_magic_{number}__" for number in count())
    read = [_Cell.read(number, source, placeholders) for number, source in enumerate(sources, 1)]
    program = _Program([cell for cell in read if isinstance(cell, _Cell)])
    result = migrate(program.text)
    notes = [cell for cell in read if isinstance(cell, tuple)]
    notes += [program.place(note) for note in result.notes]
    for cell, source in program.sources(result.text):
        if source != sources[cell - 1]:
            _set_source(cells[cell - 1], source)
    uses = [(*program.where(line), name) for line, name in result.uses]
    return MigratedNotebook(_written_like(text, notebook), sorted(notes, key=lambda each: each[0]), uses)


@dataclass(frozen=True)
class _Cell:
    """A code cell as Python.

    Attributes:
        number: Among the code cells, from 1.
        text: The cell, with placeholders in place of magics.
        magics: The lines of magics, without their indentation, by their placeholders.
    """

    number: int
    text: str
    magics: Mapping[str, str]

    @classmethod
    def read(cls, number: int, source: str, placeholders: Iterator[str]) -> _Cell | tuple[int, Note] | None:
        """The cell; a note if it is no Python; None if it is in another language."""
        if source.lstrip().startswith("%%") and not source.lstrip().startswith(_PYTHON_MAGICS):
            return None
        if syntax_problem(source) is None:
            return cls(number, source, {})
        lines, magics = list[str](), dict[str, str]()
        rest = iter(source.split("\n"))
        for line in rest:
            if not _MAGIC.search(line):
                lines.append(line)
                continue
            name = next(placeholders)
            whole = line
            while whole.endswith("\\"):
                whole = f"{whole}\n{next(rest, '')}"
            lines.append(line[: len(line) - len(line.lstrip())] + name)
            magics[name] = whole.lstrip()
        text = "\n".join(lines)
        if (problem := syntax_problem(text)) is None:
            return cls(number, text, magics)
        return number, Note(line=problem[0], kind=FindingKind.UNREADABLE, text=problem[1])

    def restored(self, text: str) -> str:
        """A text of this cell with its magics."""
        for name, line in self.magics.items():
            text = text.replace(name, line)
        return text


class _Program:
    """The cells in one text, with a line between each two by which it is split again."""

    def __init__(self, cells: Sequence[_Cell]) -> None:
        self._cells = cells
        self.text = "".join(f"{cell.text}{self._end(cell)}" for cell in cells)

    def sources(self, text: str) -> Sequence[tuple[int, str]]:
        """The cells' sources in the text that was made of `text`."""
        found: list[tuple[int, str]] = []
        for cell in self._cells:
            source, _, text = text.partition(self._end(cell))
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

    def place(self, note: Note) -> tuple[int, Note]:
        """A note about the whole text as one about a cell."""
        cell, line = self.where(note.line)
        return cell, replace(note, line=line)

    @staticmethod
    def _end(cell: _Cell) -> str:
        return f"\n__symposia_cell_{cell.number}__\n"


def _set_source(cell: dict[str, Any], source: str) -> None:
    cell["source"] = source if isinstance(cell["source"], str) else source.splitlines(keepends=True)


def _written_like(text: str, value: object) -> str:
    """The JSON of a value in the layout of a text: indentation, escapes, and the end of the last line."""
    before = json.loads(text)
    if before == value:
        return text
    layouts = product(_INDENTS, (False, True), _ENDS)
    fitting = (each for each in layouts if _written(before, *each) == text)
    return _written(value, *next(fitting, (1, False, "\n")))


def _written(value: object, indent: int | str | None, ascii_only: bool, end: str) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=ascii_only) + end
