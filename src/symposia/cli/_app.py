"""The `symposia` command: every verb with its options. What a verb does is imported when it is called.

Nothing here imports more than typer and the standard library, since ``--version`` and ``--help`` pay for each import.
For the same reason the help is plain text: typer's other forms import rich's Markdown, which doubles its time.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import Annotated

import typer

from symposia import __version__
from symposia.cli._arguments import ModelNames, ProgramLimits, RunArguments, RunLimits
from symposia.cli._exit import exit_statuses
from symposia.cli._options import (
    Bundled,
    Cpus,
    DataFiles,
    Disk,
    MaxMessages,
    MaxTokens,
    Memory,
    Model,
    OutFolder,
    PlannerModel,
    Processes,
    ReviewerModel,
    Sandbox,
    SandboxToSetUp,
    TaskText,
    TimeLimit,
    Timeout,
)
from symposia.cli._output import keep_output_from_failing

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


@app.command(epilog=exit_statuses())
def run(
    task: TaskText = None,
    data: DataFiles = None,
    out: OutFolder = None,
    model: Model = None,
    planner_model: PlannerModel = None,
    reviewer_model: ReviewerModel = None,
    bundled: Bundled = None,
    sandbox: Sandbox = "auto",
    max_messages: MaxMessages = None,
    timeout: Timeout = None,
    max_tokens: MaxTokens = None,
    time_limit: TimeLimit = None,
    memory: Memory = None,
    disk: Disk = None,
    processes: Processes = None,
    cpus: Cpus = None,
) -> None:
    """Let a swarm of four solve a task: one plans, one writes Python, one runs it in a sandbox, one checks the output.

    The answer, the code, the files that it made, the transcript and the tokens are left in a folder. A task of your own
    needs the key of a vendor, such as OPENAI_API_KEY or ANTHROPIC_API_KEY. The bundled tasks need no
    key: without --model, the models' words are recorded, while the code really runs.
    """
    from symposia.cli._run import run_and_show  # noqa: PLC0415 - see the top

    run_and_show(
        RunArguments(
            text=task,
            data=tuple(data or ()),
            bundled=bundled,
            models=ModelNames(model=model, planner=planner_model, reviewer=reviewer_model),
            sandbox=sandbox,
            run_limits=RunLimits(max_messages=max_messages, timeout=timeout, max_tokens=max_tokens),
            program_limits=ProgramLimits(
                time_limit=time_limit, memory=memory, disk=disk, processes=processes, cpus=cpus
            ),
            out=out,
        )
    )


@app.command()
def doctor() -> None:
    """Say which sandboxes work here and why the others do not, which keys are set, and which versions are installed.

    Each sandbox is started, and runs a block.
    """
    from symposia.cli._doctor import show_findings  # noqa: PLC0415 - see the top

    show_findings()


@app.command()
def setup(sandbox: SandboxToSetUp = "auto") -> None:
    """Make the Python environment and the image that generated code runs in.

    It has numpy, pandas and matplotlib, takes some ten seconds and 200 MB, and is made once. `symposia run` does it on
    its first use too.
    """
    from symposia.cli._setup import make_ready  # noqa: PLC0415 - see the top

    make_ready(sandbox)


def _note(message: Warning | str, *_where: object) -> None:
    typer.secho(f"Note: {message}", fg=typer.colors.YELLOW, err=True)


def main() -> None:
    """Run the command line that the process was started with.

    Warnings are shown as notes, without their place in the code. What the terminal cannot show becomes a question mark,
    and an output that is closed early, as by ``| head``, does not end what was begun.
    """
    warnings.showwarning = _note
    is_run = sys.argv[1:2] == ["run"] and "--help" not in sys.argv
    keep_output_from_failing(OUTPUT_CLOSED if is_run else "")
    if is_run:  # before typer reads the options, for which it imports pydantic
        typer.echo(STARTED)
        sys.stdout.flush()
    try:
        app()
    except KeyboardInterrupt:  # while something was imported
        os._exit(130)
