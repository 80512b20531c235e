"""What is found in a program: the uses of AutoGen's names, those that are missing, and code that stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class FindingKind(StrEnum):
    """What a finding is about.

    Attributes:
        MISSING: A name of AutoGen that Symposia does not have.
        KEPT: Code of AutoGen 0.2 that was not rewritten to the interface of 0.4, with the reason.
        DIFFERENCE: A name that behaves differently here, as listed in "Differences from AutoGen".
        UNREADABLE: A file, or a cell of a notebook, that is no Python or JSON, or cannot be read or written.
        NOTE: Anything else that a person should look at.
    """

    MISSING = "missing"
    KEPT = "kept"
    DIFFERENCE = "difference"
    UNREADABLE = "unreadable"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True)
class Use:
    """A use of a name in a text.

    Attributes:
        line: The line, from 1.
        name: A dotted name of AutoGen, or an attribute after a dot.
        arguments: Of a call, and of the bases of a class: the named arguments as they are written, and ``*`` where some
            are unpacked. None for another use.
        cell: The cell of a notebook, from 1, counting code cells only; 0 in other files.
    """

    line: int
    name: str
    arguments: Mapping[str, str] | None = None
    cell: int = 0


@dataclass(frozen=True, kw_only=True, order=True)
class Note:
    """A finding in a text.

    Attributes:
        line: The line, from 1; 0 for the whole text.
        kind: What it is about.
        text: The finding, as a sentence.
        name: AutoGen's name that it is about; empty if it is about none.
    """

    line: int
    kind: FindingKind
    text: str
    name: str = ""


@dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    """A finding in a file.

    Attributes:
        path: The file.
        cell: The cell of a notebook, from 1, counting code cells only; 0 in other files.
        line: The line in the file or in the cell, from 1; 0 for the whole of it.
        kind: What it is about.
        text: The finding, as a sentence.
        name: AutoGen's name that it is about; empty if it is about none.
    """

    path: Path
    line: int
    kind: FindingKind
    text: str
    cell: int = 0
    name: str = ""

    def __str__(self) -> str:
        """``file:line: kind: text``, as compilers write it."""
        where = f":cell {self.cell}" if self.cell else ""
        line = f":{self.line}" if self.line else ""
        return f"{self.path}{where}{line}: {self.kind}: {self.text}"

    @classmethod
    def in_file(cls, path: Path, note: Note, cell: int = 0) -> Finding:
        """The finding of a text as one of a file."""
        return cls(path=path, cell=cell, line=note.line, kind=note.kind, text=note.text, name=note.name)
