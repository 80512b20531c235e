"""The names of files in the comments of code, and quiet installations."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

from symposia.v02._code_text import POWERSHELLS, SHELLS

__all__ = ["filename_patterns", "named_file", "silence_pip"]

filename_patterns: Final = [
    re.compile(r"<!-- (?:filename:)?(.+?) -->"),
    re.compile(r"/\* (?:filename:)?(.+?) \*/"),
    re.compile(r"// (?:filename:)?(.+)"),
    re.compile(r"# (?:filename:)?(.+)"),
]
"""How the first line of a code block names its file. The word ``filename:`` may be missing."""


def named_file(code: str, work_dir: PurePath) -> str | None:
    """The file that the first line of a code block names, relative to the work folder; None where it names none.

    Args:
        code: The source. Any comment that begins its first line names a file.
        work_dir: The absolute path of the folder.

    Raises:
        ValueError: The file is not in the folder.
    """
    first_line = code.split("\n", 1)[0].strip()
    for pattern in filename_patterns:
        if found := pattern.match(first_line):
            return _inside(found[1].strip(), work_dir)
    return None


def _inside(name: str, work_dir: PurePath) -> str:
    path = PurePath(*_normal(work_dir / name))
    if path == work_dir or not path.is_relative_to(work_dir):
        raise ValueError("Filename is not in the workspace")
    return str(path.relative_to(work_dir))


def _normal(path: PurePath) -> list[str]:
    parts: list[str] = []
    for part in path.parts:
        if part != "..":
            parts.append(part)
        elif len(parts) > 1:
            parts.pop()
    return parts


def silence_pip(code: str, lang: str) -> str:
    """Let the calls of ``pip install`` in shell code, and in the commands of a notebook's cell, print errors alone."""
    command = {"python": "!pip install"}.get(lang, "pip install" if lang in (*SHELLS, *POWERSHELLS) else None)
    if command is None:
        return code
    return re.sub(rf"^{command}(?!.* -qqq)", f"{command} -qqq", code, flags=re.MULTILINE)
