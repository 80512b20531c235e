"""Names of tools made of names of other systems."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from symposia.core.tools import is_portable_tool_name

_OTHERS: Final = re.compile(r"[^a-zA-Z0-9_-]+")
_LONGEST: Final = 64
_STEM: Final = 56
"""Characters of a name that are left before a number."""


def portable_name(name: str, default: str = "tool") -> str:
    """The name, with underscores in place of what some vendor does not take."""
    return name if is_portable_tool_name(name) else _OTHERS.sub("_", name)[:_LONGEST].strip("_") or default


class UnusedNames:
    """Gives each name once.

    Args:
        used: Names that are not given.
    """

    def __init__(self, used: Iterable[str] = ()) -> None:
        self._used = set(used)
        # By stem and not by name: each number is tried once, however many names have the stem.
        self._numbers: Counter[str] = Counter()

    def take(self, name: str) -> str:
        """The name, or one with a number after it: two names may become one by `portable_name`."""
        stem, unused = name[:_STEM], name
        while unused in self._used:
            self._numbers[stem] += 1
            unused = f"{stem}_{self._numbers[stem] + 1}"
        self._used.add(unused)
        return unused
