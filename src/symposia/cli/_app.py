"""The `symposia` command: its verbs together, and how a process runs them."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from symposia import __version__
from symposia.cli._notes import show_warnings_as_notes
from symposia.cli._output import keep_output_from_failing
from symposia.cli._verbs import (
    coding,
    conversations,
    debate,
    installation,
    magentic,
    mcp,
    migration,
    models,
    sandboxes,
)

STARTED = f"Symposia {__version__} · Ctrl-C ends the run"
OUTPUT_CLOSED = "The output is closed. The run goes on, and its results are in the folder; Ctrl-C ends it."

app = typer.Typer(
    name="symposia",
    help="Teams of agents that talk, write code, run it in a sandbox and check it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"symposia {__version__}")
        raise typer.Exit


@app.callback()
def _root(  # pyright: ignore[reportUnusedFunction] - typer calls it
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    del version


_SUBJECTS = (coding, debate, magentic, conversations, installation, models, migration, sandboxes, mcp)
for _subject in _SUBJECTS:  # in the order of the help
    app.add_typer(_subject.app)


def run_command_line() -> None:
    """Run the command line that the process was started with.

    Warnings are shown as notes, without their place in the code, and so is what the library logs as one. What the
    terminal cannot show becomes a question mark, and an output that is closed early, as by ``| head``, does not end the
    run.
    """
    show_warnings_as_notes()
    is_run = sys.argv[1:2] in (["run"], ["debate"], ["magentic"]) and "--help" not in sys.argv
    keep_output_from_failing(OUTPUT_CLOSED if is_run else "")
    if is_run:  # before typer reads the options, for which it imports pydantic
        typer.echo(STARTED)
        sys.stdout.flush()
    # As rich decides for the views; click itself looks only at whether the output is a terminal.
    is_plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    app(color=False if is_plain else None)
