"""The command that installs an optional dependency into this environment."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path


def install_command(extra: str) -> str:
    """The command that installs an extra of the distribution.

    An environment that uv made has no pip of its own: ``pip`` is then missing, or that of another environment.
    """
    return f"{_installer(Path(sys.prefix))} install 'symposia[{extra}]'"


@cache
def _installer(environment: Path) -> str:
    """The program that installs into an environment. uv writes its version into the configuration of those it makes."""
    try:
        lines = (environment / "pyvenv.cfg").read_text("utf-8", errors="replace").splitlines()
    except OSError:  # no virtual environment
        return "pip"
    return "uv pip" if any(line.partition("=")[0].strip() == "uv" for line in lines) else "pip"
