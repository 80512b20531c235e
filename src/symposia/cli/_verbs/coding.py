"""`symposia run`: its options and its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from typer import Argument, Option

from symposia.cli._exit import MEANING, exit_statuses
from symposia.cli._verbs.options import SANDBOXES, MaxTokens, Model, OutFolder, Sandbox, Timeout
from symposia.cli._verbs.verb import TextVerb

TaskText: TypeAlias = Annotated[
    str | None, Argument(metavar="TASK", help="What to do, in plain words. Without it, a bundled task runs.")
]
DataFiles: TypeAlias = Annotated[
    list[Path] | None,
    Option("--data", metavar="FILE", readable=False, help="A file for the code to read. May be given several times."),
]
PlannerModel: TypeAlias = Annotated[
    str | None, Option("--planner-model", metavar="M", help="For the planner.", show_default="as --model")
]
ReviewerModel: TypeAlias = Annotated[
    str | None, Option("--reviewer-model", metavar="M", help="For the reviewer.", show_default="as --model")
]
Bundled: TypeAlias = Annotated[
    str | None,
    Option(
        "--task",
        metavar="NAME",
        help="A bundled task, with its data: sales, products or sorting.",
        show_default="sales",
    ),
]
WithPackages: TypeAlias = Annotated[
    list[str] | None,
    Option(
        "--with",
        metavar="PACKAGE",
        help="A package that the code may import, as scipy or scipy==1.14; installed before the sandbox starts. With a "
        "slash, as in ./wheels: the folder where wheels are searched. May be given several times.",
        show_default="numpy, pandas and matplotlib are there",
    ),
]
MaxMessages: TypeAlias = Annotated[
    int | None, Option("--max-messages", min=1, metavar="N", help="Messages of the agents.", show_default="40")
]
TimeLimit: TypeAlias = Annotated[
    float | None, Option("--time-limit", min=1, metavar="S", help="Seconds of one program.", show_default="60")
]
Memory: TypeAlias = Annotated[
    str | None, Option("--memory", metavar="SIZE", help="Memory of one program: 800M, 2G.", show_default="512M")
]
Disk: TypeAlias = Annotated[
    str | None,
    Option("--disk", metavar="SIZE", help="Files that one program may write, held in memory.", show_default="64M"),
]
Processes: TypeAlias = Annotated[
    int | None,
    Option("--processes", min=4, metavar="N", help="Processes and threads of one program.", show_default="64"),
]
Cpus: TypeAlias = Annotated[
    float | None, Option("--cpus", min=0.01, metavar="N", help="Processors of one program.", show_default="1")
]
AllowHost: TypeAlias = Annotated[
    list[str] | None,
    Option(
        "--allow-host",
        metavar="HOST",
        help="A host that the code may connect to, as api.test, '*.example.com' or example.com:8443; ports 80 and 443 "
        "where none is named. Addresses that are not public are refused. May be given several times.",
        show_default="no network",
    ),
]
AuditLog: TypeAlias = Annotated[
    Path | None,
    Option(
        "--audit-log",
        metavar="FILE",
        help="Gets a line of JSON for each program that ran, and for each connection that it tried.",
        show_default="none",
    ),
]

app = typer.Typer()


class RunVerb(TextVerb):
    """`symposia run`: names the sandboxes that distributions offer."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # Any: see `Verb`
        offered = ", ".join(offered_sandboxes())
        for option in self.params:
            if offered and option.name == "sandbox":
                vars(option)["help"] = f"Where the code runs: {SANDBOXES}. Installed packages offer: {offered}."
        super().format_help(ctx, formatter)


def offered_sandboxes() -> list[str]:
    """The names of the sandboxes that installed distributions offer. None of them is imported."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - takes 10 ms to import

    return sorted(point.name for point in entry_points(group="symposia.sandboxes"))


@app.command(epilog=exit_statuses(MEANING), cls=RunVerb, context_settings={"allow_extra_args": True})
def run(
    task: TaskText = None,
    data: DataFiles = None,
    out: OutFolder = None,
    model: Model = None,
    planner_model: PlannerModel = None,
    reviewer_model: ReviewerModel = None,
    bundled: Bundled = None,
    sandbox: Sandbox = "auto",
    packages: WithPackages = None,
    max_messages: MaxMessages = None,
    timeout: Timeout = None,
    max_tokens: MaxTokens = None,
    time_limit: TimeLimit = None,
    memory: Memory = None,
    disk: Disk = None,
    processes: Processes = None,
    cpus: Cpus = None,
    allow_host: AllowHost = None,
    audit_log: AuditLog = None,
) -> None:
    """Let a swarm of four solve a task: one plans, one writes Python, one runs it in a sandbox, one checks the output.

    The answer, the code, the files that it made, the transcript and the tokens are left in a folder. A task of your own
    needs the key of a vendor, such as OPENAI_API_KEY or ANTHROPIC_API_KEY. The bundled tasks need no
    key: without --model, the models' answers are recorded, and the code really runs.
    """
    from symposia.cli._plan import ModelNames, ProgramLimits, RunArguments, RunLimits  # noqa: PLC0415 - imported when called
    from symposia.cli._run import run_and_show  # noqa: PLC0415 - imported when called

    run_and_show(
        RunArguments(
            text=task,
            data=tuple(data or ()),
            bundled=bundled,
            models=ModelNames(model=model, planner=planner_model, reviewer=reviewer_model),
            sandbox=sandbox,
            packages=tuple(packages or ()),
            run_limits=RunLimits(max_messages=max_messages, timeout=timeout, max_tokens=max_tokens),
            program_limits=ProgramLimits(
                time_limit=time_limit,
                memory=memory,
                disk=disk,
                processes=processes,
                cpus=cpus,
                allowed_hosts=tuple(allow_host or ()),
            ),
            audit_log=audit_log,
            out=out,
        )
    )
