"""Which packages generated code can import: one list for every sandbox, kept as data in ``packages.txt``."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Final

PINNED_PACKAGES: Final = files(__name__.rpartition(".")[0]).joinpath("packages.txt").read_text(encoding="utf-8")
PINNED_NAMES: Final = frozenset(line.partition("==")[0] for line in PINNED_PACKAGES.splitlines())


def environment_key(*parts: str) -> str:
    """Name an environment by everything that decides what is in it: the pins, and `parts`."""
    return hashlib.sha256("\0".join((PINNED_PACKAGES, *parts)).encode()).hexdigest()[:16]
