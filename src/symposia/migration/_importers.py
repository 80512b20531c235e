"""Which names of the files of a project other files import, as far as their texts tell.

An agent that another file imports keeps its interface, since that file uses it by that interface. The search is by
patterns, in all files: those that only use such an agent do not have AutoGen's name in them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from symposia.migration._files import contents

_FROM = re.compile(rb"\bfrom\s+[.\w]*?\.?(\w+)\s+import\s+(\([^)]*\)|[^\n;#]+)")
_ATTRIBUTE = re.compile(rb"\b(\w+)\.(\w+)\b")
_PYTHON = frozenset({".py", ".pyi", ".ipynb"})


def imported_names(paths: Iterable[Path]) -> Mapping[str, Collection[str]]:
    """The names that files import or may use as attributes, by the last part of the module.

    Files that cannot be read are left out.
    """
    found: dict[str, set[str]] = {}
    for path in paths:
        if path.suffix not in _PYTHON:
            continue
        try:
            code = contents(path)
        except OSError:
            continue
        for module, names in _FROM.findall(code):
            words = re.findall(rb"\w+", names)
            found.setdefault(_text(module), set()).update(map(_text, words))
        for module, name in _ATTRIBUTE.findall(code):  # `import agents` and `agents.writer`
            found.setdefault(_text(module), set()).add(_text(name))
    return found


def _text(word: bytes) -> str:
    return word.decode(errors="replace")
