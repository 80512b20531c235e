"""`symposia setup`: makes what the sandboxes need, ahead of the first run."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from symposia.cli._exit import Status, fail, status_of_error
from symposia.cli._sandboxes import SandboxName, set_up
from symposia.core.exceptions import SymposiaError


def setup(
    sandbox: Annotated[
        SandboxName, typer.Option(help="Which sandbox to make ready; auto: each that this machine can run.")
    ] = SandboxName.AUTO,
) -> None:
    """Make the Python environment and the image that generated code runs in.

    It has numpy, pandas and matplotlib, takes some ten seconds and 200 MB, and is made once. `symposia run` does it on
    its first use too.
    """
    try:
        asyncio.run(set_up(sandbox, typer.echo))
    except KeyboardInterrupt:
        fail("Interrupted. Nothing half-made is left.", Status.INTERRUPTED)
    except SymposiaError as error:
        fail(str(error), status_of_error(error))
    typer.echo("Ready.")
