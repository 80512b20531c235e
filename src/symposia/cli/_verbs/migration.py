"""`symposia migrate`: its options and its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer
from typer import Argument, Option

from symposia.cli._exit import MEANING, Status, exit_statuses
from symposia.cli._verbs.verb import Verb

MIGRATE_MEANING: Final = {
    Status.VERIFIED: "all is written, or nothing needs a change; with --report, all would run",
    Status.FAILED: "a file would change (--check), was not changed, cannot be read, or would not run (--report)",
    Status.USAGE: "an option is wrong, or a path does not exist",
    Status.MISSING_EXTRA: MEANING[Status.MISSING_EXTRA],
    Status.INTERRUPTED: MEANING[Status.INTERRUPTED],
}

Paths: TypeAlias = Annotated[
    list[Path],
    Argument(metavar="PATH...", readable=False, help="Programs, notebooks, component JSON; or folders of them."),
]
Yes: TypeAlias = Annotated[bool, Option("--yes", "-y", help="Write without asking.")]
DiffOnly: TypeAlias = Annotated[bool, Option("--diff", help="Show the changes, and write nothing.")]
Check: TypeAlias = Annotated[bool, Option("--check", help="Write nothing; exit with 1 if anything would change.")]
Report: TypeAlias = Annotated[
    bool, Option("--report", help="Say what would run as it is: missing names and known differences. Changes nothing.")
]
AsJson: TypeAlias = Annotated[bool, Option("--json", help="With --report: print JSON.")]
To: TypeAlias = Annotated[
    str,
    Option(
        "--to",
        metavar="WHAT",
        help="v0.4: programs for AutoGen 0.2 are rewritten to the interface of 0.4 where that is certain; "
        "names: names only are changed.",
    ),
]

app = typer.Typer()


@app.command(epilog=exit_statuses(MIGRATE_MEANING), cls=Verb)
def migrate(
    paths: Paths,
    yes: Yes = False,
    diff: DiffOnly = False,
    check: Check = False,
    to: To = "v0.4",
    report: Report = False,
    as_json: AsJson = False,
) -> None:
    """Rewrite programs for AutoGen to Symposia: the changes are shown, and a question is asked.

    Comments and formatting stay. What Symposia lacks, and what is not certain, stays as it is and is listed. In
    folders, hidden entries and virtual environments are left out.
    """
    from symposia.cli._migrate import MigrateArguments, migrate_and_show  # noqa: PLC0415 - imported when called

    migrate_and_show(
        MigrateArguments(paths=tuple(paths), yes=yes, diff=diff, check=check, to=to, report=report, as_json=as_json)
    )
