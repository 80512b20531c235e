"""The `symposia` command. Every verb calls a public function and shows what it gives."""

from __future__ import annotations

import sys
import warnings
from io import TextIOWrapper
from typing import Annotated

import typer

from symposia import __version__
from symposia.cli._doctor import doctor
from symposia.cli._exit import exit_statuses
from symposia.cli._run import run
from symposia.cli._setup import setup

app = typer.Typer(
    name="symposia",
    help="Teams of agents that talk, write code, run it in a sandbox and check it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
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


app.command(epilog=exit_statuses())(run)
app.command()(doctor)
app.command()(setup)


def _note(message: Warning | str, *_where: object) -> None:
    typer.secho(f"Note: {message}", fg=typer.colors.YELLOW, err=True)


def main() -> None:
    """Run the command line that the process was started with.

    Warnings are shown as notes, without their place in the code, and what the terminal cannot show becomes a question
    mark.
    """
    warnings.showwarning = _note
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()
