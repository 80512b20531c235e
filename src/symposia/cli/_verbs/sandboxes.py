"""The verbs of `symposia sandbox`: their options and their help."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer
from typer import Argument, Option

from symposia.cli._verbs.options import SANDBOXES
from symposia.cli._verbs.verb import Verb

SandboxToShow: TypeAlias = Annotated[
    str, Argument(metavar="NAME", help="docker, bubblewrap, namespaces or local; or one that a package offers.")
]
SandboxToMeasure: TypeAlias = Annotated[
    str, Option("--sandbox", metavar="NAME", help=f"Which sandbox to measure: {SANDBOXES}.")
]
Starts: TypeAlias = Annotated[int, Option("--starts", min=1, metavar="N", help="How many sandboxes to start.")]
Blocks: TypeAlias = Annotated[int, Option("--blocks", min=1, metavar="N", help="How many blocks of each sort to run.")]
AsJson: TypeAlias = Annotated[bool, Option("--json", help="Print JSON, with durations in milliseconds.")]

app = typer.Typer(name="sandbox", no_args_is_help=True, help="Show, measure and clean up sandboxes.")


@app.command("list", cls=Verb)
def list_sandboxes() -> None:
    """List the sandboxes that run on this machine, with the process that owns each, its age and its memory."""
    from symposia.cli._inspection import list_and_show  # noqa: PLC0415 - imported when called

    list_and_show()


@app.command(cls=Verb)
def show(name: SandboxToShow) -> None:
    """Show what a sandbox needs, how it isolates code, its weaknesses on this machine, and the limits of a program.

    It is started, and runs a block. The exit status is 15 where it does not work.
    """
    from symposia.cli._inspection import show_sandbox  # noqa: PLC0415 - imported when called

    show_sandbox(name)


@app.command(cls=Verb)
def clean() -> None:
    """Remove the containers, networks, control groups and folders that processes left which were killed.

    What belongs to a process that runs, or to another machine, stays. A sandbox that starts does so for its own kind.
    """
    from symposia.cli._inspection import clean_and_show  # noqa: PLC0415 - imported when called

    clean_and_show()


@app.command(cls=Verb)
def bench(sandbox: SandboxToMeasure = "auto", starts: Starts = 5, blocks: Blocks = 50, as_json: AsJson = False) -> None:
    """Measure how long a sandbox takes to start, to run a block, and to end: medians and 95th percentiles."""
    from symposia.cli._bench import bench_and_show  # noqa: PLC0415 - imported when called

    bench_and_show(sandbox, starts=starts, blocks=blocks, as_json=as_json)
