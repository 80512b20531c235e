"""Where the code finds the data files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

DATA_FOLDER: Final = "/data"
UNPROTECTED: Final = "local"


def seen_at(sandbox: str, path: Path) -> str:
    """Say what the code calls a data file: below ``/data`` in a sandbox, its own path where there is none.

    Args:
        sandbox: The name of the backend.
        path: The file on this machine.
    """
    return str(path.resolve()) if sandbox == UNPROTECTED else f"{DATA_FOLDER}/{path.name}"
