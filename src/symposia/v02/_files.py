"""Files that are written into a work folder beside those of the code that runs in it, and as they are run there."""

from __future__ import annotations

import shlex
from pathlib import Path


def write_below(folder: Path, name: str, text: str) -> Path:
    """Write a file into a folder, and not through a link that code has made there. Blocks.

    Raises:
        ValueError: It would be outside of the folder.
    """
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() or not path.parent.resolve().is_relative_to(folder.resolve()):
        raise ValueError("Filename is not in the workspace")
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    return path


def as_argument(file: str) -> str:
    """A file of the work folder as an argument in a line of shell code. One that begins with a dash is no option."""
    return shlex.quote(f"./{file}" if file.startswith("-") else file)
