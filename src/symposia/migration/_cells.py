"""A code cell of a notebook as Python, and back.

Magics (``%pip``, ``!ls``, ``x = !pwd``, ``name?``) are no Python: placeholders stand for them. The Python in a magic
(``%time f()``) stays visible beside its placeholder. So do the names that another magic reads, so that they are not
renamed elsewhere. A cell of another language (``%%bash``) has no Python.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from symposia.migration._findings import FindingKind, Note
from symposia.migration._python import MARKS
from symposia.migration._syntax import syntax_problem

_PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun")
_MAGIC = re.compile(r"^\s*[%!?]|^\s*[\w, ]+=\s*[%!]|\?\s*$")
_BEFORE_PYTHON = re.compile(r"(%(?:time|timeit|prun|memit)\s+|\?\??\s*)(?=[^\W\d])")
_AFTER_PYTHON = re.compile(r"\?\??\s*$")
_ASSIGNED = re.compile(r"([^\W\d][\w, ]*=\s*)(?=[%!])")
_SHELL = re.compile(r"!|%(?:pip|conda|mamba|uv|sx|system)\b")
_EXPANDED = re.compile(r"\{([^{}]*)\}|\$(\w+)")
_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Cell:
    """A code cell as Python.

    Attributes:
        number: Among the code cells, from 1.
        text: The cell, with placeholders in place of magics.
        magics: The texts that the placeholders stand for.
    """

    number: int
    text: str
    magics: Mapping[str, str]

    @classmethod
    def read(cls, number: int, source: str, placeholders: Placeholders) -> Cell | Note | None:
        """The cell; a note if it is left out though it may be about AutoGen; None if it is left out otherwise."""
        if (found := re.match(r"\s*(%%\w*)", source)) and not source.lstrip().startswith(_PYTHON_CELLS):
            text = f"The cell begins with {found[1]}, and stays as it is."
            is_about = any(mark in source for mark in MARKS)
            return Note(line=1, kind=FindingKind.NOTE, text=text) if is_about else None
        if syntax_problem(source) is None:
            return cls(number, source, {})
        magics: dict[str, str] = {}
        text = "\n".join(_python_lines(source, placeholders, magics))
        if (problem := syntax_problem(text)) is None:
            return cls(number, text, magics)
        return Note(line=problem[0], kind=FindingKind.UNREADABLE, text=problem[1])

    def restored(self, text: str) -> str:
        """A text of this cell with its magics."""
        for placeholder, magic in self.magics.items():
            text = text.replace(placeholder, magic)
        return text


class Placeholders:
    """Makes names that a text does not have."""

    def __init__(self, text: str) -> None:
        self._prefix = next(prefix for n in count() if (prefix := f"__symposia{n or ''}_") not in text)
        self._numbers = count()

    def next(self) -> str:
        """A new name."""
        return f"{self._prefix}{next(self._numbers)}__"


def _python_lines(source: str, placeholders: Placeholders, magics: dict[str, str]) -> Iterator[str]:
    """The lines of a cell, each magic as Python. What placeholders stand for is added to the magics."""
    rest = iter(source.split("\n"))
    for line in rest:
        if not _MAGIC.search(line):
            yield line
            continue
        whole = line
        while whole.endswith("\\"):
            whole = f"{whole}\n{next(rest, '')}"
        magic = whole.lstrip()
        python, placeholder, stands_for = _as_python(magic, placeholders.next())
        magics[placeholder] = stands_for
        yield whole[: len(whole) - len(magic)] + python


def _as_python(magic: str, name: str) -> tuple[str, str, str]:
    """The Python in place of a magic, with as many lines; the part of it that is to be replaced, and by what."""
    if (before := _BEFORE_PYTHON.match(magic)) and syntax_problem(magic[before.end() :]) is None:
        return f"{name}; {magic[before.end() :]}", f"{name}; ", before[0]
    if (after := _AFTER_PYTHON.search(magic)) and syntax_problem(magic[: after.start()]) is None:
        return f"{magic[: after.start()]}; {name}", f"; {name}", after[0]
    if assigned := _ASSIGNED.match(magic):
        return assigned[0] + name, name, magic[assigned.end() :]
    placeholder = " = ".join([name, *_names_in(magic), "0"]) + "\n" * magic.count("\n")
    return placeholder, placeholder, magic


def _names_in(magic: str) -> Iterator[str]:
    """The names that a magic may read, each once."""
    parts = _EXPANDED.findall(magic) if _SHELL.match(magic) else [(magic.lstrip("%"), "")]
    words = dict.fromkeys(word for part in parts for each in part for word in _WORD.findall(each))
    return (word for word in words if not keyword.iskeyword(word))
