"""AutoGen's distributions for `importlib.metadata`, where programs and instrumentation look up AutoGen's version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution
from os import PathLike
from pathlib import Path

from symposia._autogen_names import ROOTS, Root, exists

METADATA = """\
Metadata-Version: 2.1
Name: {root.distribution}
Version: {root.version}
Summary: Answered by Symposia ({root.ours}), which has the interface of this version.
"""


class StandIn(Distribution):
    """A distribution of AutoGen with a name and a version, and without files."""

    def __init__(self, root: Root) -> None:
        self._root = root

    def read_text(self, filename: str) -> str | None:
        """The metadata; nothing else is there."""
        return METADATA.format(root=self._root) if filename == "METADATA" else None

    def locate_file(self, path: str | PathLike[str]) -> Path:
        """Where a file of the distribution would lie: beside ours."""
        return Path(__file__).parent.parent / path


def stand_ins(name: str | None) -> Iterator[StandIn]:
    """The distribution of this name. A listing of all (no name) goes without: they are not installed."""
    wanted = _normal(name or "")
    return (StandIn(root) for root in ROOTS.values() if root.distribution == wanted and exists(root.ours))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
