from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxPython:
    """The interpreter that runs the blocks, by its places on the host. `_mounts.place_python` says where it is inside.

    Attributes:
        interpreter: The program itself, or a symbolic link to it.
        prefix: The installation that it belongs to, with its standard library: ``sys.base_prefix``.
        environment: A virtual environment made from it, whose packages the blocks import; None for none.
    """

    interpreter: Path
    prefix: Path
    environment: Path | None = None

    @property
    def executable(self) -> Path:
        """What a program on the host, outside of any sandbox, runs to get this Python."""
        return self.interpreter if self.environment is None else self.environment / "bin" / "python"


def base_python() -> SandboxPython:
    """The interpreter that this process was made from, without the packages of any environment."""
    executable = Path(getattr(sys, "_base_executable", sys.executable))  # what a venv's python links to
    return SandboxPython(interpreter=executable, prefix=Path(sys.base_prefix))
