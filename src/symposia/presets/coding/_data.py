"""Where the code finds the data files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from symposia.ext.code_executors import sandbox_kinds

DATA_FOLDER: Final = "/data"


def is_isolated(sandbox: str) -> bool:
    """Whether a backend of this name keeps code from the machine, as all do that are not registered otherwise."""
    return all(kind.isolated for kind in sandbox_kinds() if kind.name == sandbox)


def seen_at(sandbox: str, path: Path) -> str:
    """Say what the code calls a data file: below ``/data`` in a sandbox, its own path where there is none.

    Args:
        sandbox: The name of the backend.
        path: The file on this machine.
    """
    return f"{DATA_FOLDER}/{path.name}" if is_isolated(sandbox) else str(path.resolve())
