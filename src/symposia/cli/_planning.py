"""What the plans of runs share: the title, the folder, the limits that are given, the pace of recorded models."""

from __future__ import annotations

import itertools
import os
import re
import sys
import unicodedata
from datetime import datetime
from pathlib import Path
from textwrap import shorten
from typing import Any

TITLE_LENGTH = 100
SLUG_LENGTH = 40
RECORDED_PACE = 0.006
"""Seconds between the words of a recorded model on a terminal: about ten times as fast as reading."""


def title_of(text: str) -> str:
    """A task or a question in one line of at most `TITLE_LENGTH` characters."""
    return shorten(text, TITLE_LENGTH, placeholder=" …")


def run_folder(out: Path | None, title: str) -> Path:
    """The folder of ``--out``; where it is not given, the default folder, named for this moment and the title."""
    return out or default_run_folder(title, datetime.now().astimezone())


def default_run_folder(task: str, now: datetime) -> Path:
    """``symposia-runs/20240501-093000-plot-sales-by-month``, which sorts by time; with a number if that is taken."""
    plain = unicodedata.normalize("NFKD", task).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[: SLUG_LENGTH + 1]
    if len(slug) > SLUG_LENGTH:
        slug = slug[:SLUG_LENGTH].rpartition("-")[0] or slug[:SLUG_LENGTH]
    name = "-".join(part for part in (f"{now:%Y%m%d-%H%M%S}", slug.strip("-")) if part)
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(folder for each in names if not os.path.lexists(folder := Path("symposia-runs", each)))


def given(**values: Any) -> dict[str, Any]:  # Any: keyword arguments of another function, which checks them
    """The values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def recorded_pace() -> float:
    """Seconds between the words of a recorded model: zero if the output is no terminal."""
    return RECORDED_PACE if sys.stdout.isatty() else 0
