from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxPython:
    """The interpreter that runs the blocks, as a path that is the same outside and inside.

    Attributes:
        executable: What is executed. Its folder comes first in the blocks' ``PATH``.
        read_only_paths: Folders of the host that it needs inside, at the same place: its environment, and the prefix of
            the interpreter that the environment was made from. ``/usr``, ``/lib*`` and ``/bin`` are always there.
    """

    executable: Path
    read_only_paths: tuple[Path, ...]


def base_python() -> SandboxPython:
    """The interpreter that this process was made from, without the packages of any environment."""
    executable = Path(getattr(sys, "_base_executable", sys.executable))  # what a venv's python links to
    return SandboxPython(executable=executable, read_only_paths=(Path(sys.base_prefix),))
