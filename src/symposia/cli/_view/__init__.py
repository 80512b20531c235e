from __future__ import annotations

import sys

from symposia.cli._view._plain import PlainView
from symposia.cli._view._view import Beginning, View

__all__ = ["Beginning", "PlainView", "View", "view_for_this_terminal"]


def view_for_this_terminal() -> View:
    """Take the live view on a terminal that can move its cursor, and plain lines everywhere else."""
    from rich.console import Console  # noqa: PLC0415 - only for terminals

    console = Console(highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        return PlainView(sys.stdout)
    from symposia.cli._view._live import LiveView  # noqa: PLC0415 - only for terminals

    return LiveView(console)
