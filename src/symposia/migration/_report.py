"""What of a project would run as it is: the names that are missing, and the differences that it may notice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from symposia.migration._differences import differences_of
from symposia.migration._files import files_of
from symposia.migration._findings import Finding, FindingKind, Note
from symposia.migration._names import is_theirs
from symposia.migration._plan import MigratedFile, migrated_file
from symposia.migration._python import MigrationTarget


@dataclass(frozen=True)
class MigrationReport:
    """What of a project would run under the import hook, before anything is changed.

    Attributes:
        findings: Missing names, differences and files that cannot be read, in the order of files and lines.
        programs: The files that use AutoGen.
        blocked: Those of them that cannot run, since they import a name that is missing, or cannot be read.
    """

    findings: Sequence[Finding]
    programs: Sequence[Path]
    blocked: Sequence[Path]


def report_on(paths: Iterable[Path]) -> MigrationReport:
    """Look at programs, notebooks and component JSON for what Symposia lacks or does differently.

    Args:
        paths: Files and folders, as for `plan_migration`.

    Raises:
        MissingExtraError: libcst is not installed.
    """
    findings: list[Finding] = []
    programs: list[Path] = []
    blocked: list[Path] = []
    for path in files_of(paths):
        file = migrated_file(path, MigrationTarget.NAMES)
        is_program = any(is_theirs(use.name) for use in file.uses)
        if is_program:
            programs.append(path)
        if any(each.kind in {FindingKind.MISSING, FindingKind.UNREADABLE} for each in file.findings):
            blocked.append(path)
        found = {*file.findings, *(_differences(path, file) if is_program else ())}
        findings += sorted(found, key=lambda each: (each.cell, each.line))
    return MigrationReport(findings, programs, blocked)


def _differences(path: Path, file: MigratedFile) -> Iterable[Finding]:
    for use in file.uses:
        for difference in differences_of(use):
            name = difference.use if use.name.startswith(".") else difference.use.rpartition(".")[2]
            said = f"{name}: {difference.text}" + (f" ({difference.fault})" if difference.fault else "")
            note = Note(line=use.line, kind=FindingKind.DIFFERENCE, text=said, name=use.name)
            yield Finding.in_file(path, note, use.cell)
