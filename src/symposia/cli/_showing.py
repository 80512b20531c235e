"""What the verbs that run a team share: the view, what Ctrl-C leaves, and the exit on an error."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from symposia.cli._advice import advised_error
from symposia.cli._exit import fail, status_of_error, stopped_by_interrupt
from symposia.cli._plain_view import PlainView
from symposia.cli._view import View
from symposia.core.exceptions import SymposiaError


@contextmanager
def exit_on_error(advice: Mapping[type[SymposiaError], str]) -> Generator[None]:
    """Exit on an error of the library, with its text, the option that helps, and its status.

    Args:
        advice: What helps, by the class of the error.

    Raises:
        typer.Exit: The block failed.
    """
    try:
        yield
    except SymposiaError as error:
        fail(advised_error(error, advice), status_of_error(error))


@contextmanager
def shown_in(view: View, folder: Path, *, stopped: str) -> Generator[None]:
    """Let a view show a run. Ctrl-C stops the run, and the last lines say where its results are.

    Args:
        view: The view, which is entered.
        folder: The folder of the results.
        stopped: What Ctrl-C has stopped, as a sentence.

    Raises:
        typer.Exit: The block was interrupted.
    """

    def interrupted() -> str:
        kept = f"\nResults so far: {folder}" if folder.exists() else ""
        return f"Interrupted. {stopped}{kept}"

    with stopped_by_interrupt(interrupted), view:
        yield


def view_for_this_terminal() -> View:
    """The live view on a terminal that can move its cursor, else plain lines."""
    from rich.console import Console  # noqa: PLC0415 - only for terminals

    console = Console(highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        return PlainView(sys.stdout)
    from symposia.cli._live_view import LiveView  # noqa: PLC0415 - only for terminals

    return LiveView(console)
