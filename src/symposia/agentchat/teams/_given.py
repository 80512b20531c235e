from __future__ import annotations

from collections.abc import Iterable
from types import UnionType


def others_than(kind: type | UnionType, given: Iterable[object]) -> list[object]:
    """Those of what a caller gave that are of another kind than the type hints ask for."""
    return [each for each in given if not isinstance(each, kind)]
