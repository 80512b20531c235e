"""The line of the program that a warning is about: the nearest one outside this project."""

from __future__ import annotations

import sys
from types import FrameType


def level_outside(stacklevel: int) -> int:
    """The stack level of the program's own line, for `warnings.warn`.

    Args:
        stacklevel: The level to begin with: 1 is the line that calls this function.
    """
    # warnings.warn(skip_file_prefixes=...) does this from Python 3.12 on.
    frame: FrameType | None = sys._getframe(stacklevel)  # noqa: SLF001 - as warnings.warn itself finds the line
    while frame is not None and frame.f_globals.get("__name__", "").startswith("symposia."):
        frame, stacklevel = frame.f_back, stacklevel + 1
    return stacklevel
