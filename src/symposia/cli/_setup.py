"""`symposia setup`: makes what the sandboxes need, ahead of the first run."""

from __future__ import annotations

import asyncio

import typer

from symposia.cli._exit import Status, fail, status_of_error
from symposia.cli._sandboxes import sandbox_names, set_up
from symposia.core.exceptions import SymposiaError


def make_ready(sandbox: str) -> None:
    """Make what a sandbox needs, and say how it goes.

    Raises:
        typer.Exit: It could not be made.
        typer.BadParameter: There is no sandbox of this name.
    """
    if sandbox not in sandbox_names():
        raise typer.BadParameter(f"There is no sandbox {sandbox!r}. There are: {', '.join(sandbox_names())}")
    try:
        asyncio.run(set_up(sandbox, typer.echo))
    except KeyboardInterrupt:
        fail("Interrupted. Nothing half-made is left.", Status.INTERRUPTED)
    except SymposiaError as error:
        fail(str(error), status_of_error(error))
    typer.echo("Ready.")
