"""`symposia migrate`: shows what would change, asks, and writes; or reports what would run as it is."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from symposia.cli._exit import Status, fail, status_of_error
from symposia.core.exceptions import MissingExtraError
from symposia.core.terminal_text import printable, printable_name
from symposia.migration import (
    FileChange,
    Finding,
    FindingKind,
    MigrationReport,
    MigrationTarget,
    plan_migration,
    report_on,
)


@dataclass(frozen=True, kw_only=True)
class MigrateArguments:
    """The arguments of the verb, as the options name them."""

    paths: Sequence[Path]
    yes: bool
    diff: bool
    check: bool
    to: str
    report: bool
    as_json: bool


def migrate_and_show(arguments: MigrateArguments) -> None:
    """Migrate, or report.

    Raises:
        typer.BadParameter: The options do not go together, or a path does not exist.
        typer.Exit: With a status other than 0, as the help says.
    """
    target = _target(arguments)
    try:
        if arguments.report:
            _show_report(report_on(arguments.paths), as_json=arguments.as_json)
        else:
            _migrate(arguments, target)
    except MissingExtraError as error:
        fail(str(error), status_of_error(error))


def _target(arguments: MigrateArguments) -> MigrationTarget:
    if arguments.as_json and not arguments.report:
        raise typer.BadParameter("--json is for --report.")
    if arguments.report and (arguments.yes or arguments.diff or arguments.check):
        raise typer.BadParameter("--report changes nothing: give it without --yes, --diff and --check.")
    if arguments.yes and (arguments.diff or arguments.check):
        raise typer.BadParameter("--yes writes, and --diff and --check do not: give one of them.")
    for path in arguments.paths:
        if not path.exists():
            raise typer.BadParameter(f"There is no {path}.")
    targets = [each.value for each in MigrationTarget]
    if arguments.to not in targets:
        raise typer.BadParameter(f"--to takes {' or '.join(targets)}, and not {arguments.to!r}.")
    return MigrationTarget(arguments.to)


def _migrate(arguments: MigrateArguments, target: MigrationTarget) -> None:
    plan = plan_migration(arguments.paths, target)
    if arguments.diff or not (arguments.check or arguments.yes):
        for change in plan.changes:
            _show_diff(change.diff())
    _show_findings(plan.findings)
    is_whole = not any(finding.kind is FindingKind.UNREADABLE for finding in plan.findings)
    if not plan.changes:
        typer.echo(f"Nothing to change in {_files(plan.looked_at)}.")
    elif arguments.check or arguments.diff:
        for change in () if arguments.diff else plan.changes:
            typer.echo(printable_name(f"would change {change.path}"))
        typer.echo(f"{_files(len(plan.changes))} of {plan.looked_at} would change.")
        is_whole = is_whole and not arguments.check
    elif arguments.yes or _is_confirmed(len(plan.changes)):
        is_whole = _write(plan.changes) and is_whole
    else:
        typer.echo("Nothing was written.")
        is_whole = False
    if not is_whole:
        raise typer.Exit(Status.FAILED)


def _is_confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        typer.echo("Nobody is there to be asked: give --yes to write.")
        return False
    return typer.confirm(f"Change {_files(count)}?")


def _write(changes: Sequence[FileChange]) -> bool:
    """Write all that can be written. Returns whether that was everything."""
    is_whole = True
    for change in changes:
        try:
            change.write()
        except OSError as error:
            typer.secho(printable_name(f"{change.path} stays as it was: {error}"), fg=typer.colors.RED, err=True)
            is_whole = False
        else:
            typer.echo(printable_name(f"changed {change.path}"))
    return is_whole


def _show_diff(diff: str) -> None:
    colors = {"+": typer.colors.GREEN, "-": typer.colors.RED, "@": typer.colors.CYAN}
    for line in printable(diff).splitlines():
        typer.secho(line, fg=colors.get(line[:1]))


def _show_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        typer.echo(printable_name(str(finding)))


def _show_report(report: MigrationReport, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_as_json(report), indent=2))
    else:
        _show_findings(report.findings)
        runs = len(report.programs) - len(set(report.blocked) & set(report.programs))
        typer.echo(f"{_files(len(report.programs))} with AutoGen: {runs} would run as they are.")
    if report.blocked:
        raise typer.Exit(Status.FAILED)


def _as_json(report: MigrationReport) -> object:
    findings = [{**asdict(finding), "path": str(finding.path)} for finding in report.findings]
    return {"programs": [*map(str, report.programs)], "blocked": [*map(str, report.blocked)], "findings": findings}


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
