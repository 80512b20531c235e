"""The migration of a project: what would change in which file, and what is found on the way. Nothing is written."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from symposia.core.terminal_text import printable_name
from symposia.migration._components import migrate_components
from symposia.migration._files import contents, decoded, files_of, replace_file
from symposia.migration._findings import Finding, FindingKind, Note, Use
from symposia.migration._importers import imported_names
from symposia.migration._notebooks import migrate_notebook
from symposia.migration._python import MARKS, MigrationTarget, migrate_text
from symposia.migration._requirements import FILES, requirement_notes


@dataclass(frozen=True)
class FileChange:
    """A file that would change.

    Attributes:
        path: The file, as it was given or found.
        before: Its bytes.
        after: The bytes that would take their place.
        encoding: The encoding of both.
    """

    path: Path
    before: bytes
    after: bytes
    encoding: str

    def diff(self) -> str:
        """The change as a unified diff, whose lines end with a line feed."""
        before, after = (_lines(data.decode(self.encoding)) for data in (self.before, self.after))
        name = printable_name(str(self.path))
        lines = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", lineterm="")
        return "".join(f"{line}\n" for line in lines)

    def write(self) -> None:
        """Change the file: as a whole, or not at all.

        Raises:
            OSError: It cannot be written, or has changed since it was read.
        """
        replace_file(self.path, self.before, self.after)


@dataclass(frozen=True)
class MigratedFile:
    """A file that was looked at.

    Attributes:
        change: The change; None if there is none.
        findings: What was found.
        uses: The uses of AutoGen's names and of attributes.
    """

    change: FileChange | None = None
    findings: Sequence[Finding] = ()
    uses: Sequence[Use] = ()


@dataclass(frozen=True)
class MigrationPlan:
    """What a migration would do.

    Attributes:
        changes: The files that would change.
        findings: What stays as it is, and why.
        looked_at: The number of files that were read.
    """

    changes: Sequence[FileChange]
    findings: Sequence[Finding]
    looked_at: int


def plan_migration(paths: Iterable[Path], target: MigrationTarget = MigrationTarget.V04) -> MigrationPlan:
    """Rewrite programs, notebooks and component JSON, without writing anything.

    Args:
        paths: Files and folders. In folders, hidden entries and virtual environments are left out.
        target: To what programs for AutoGen 0.2 are rewritten.

    Raises:
        MissingExtraError: libcst is not installed.
    """
    found = list(files_of(paths))
    imported = imported_names(found if target is MigrationTarget.V04 else ())
    files = [migrated_file(path, target, imported.get(path.stem, ())) for path in found]
    changes = [file.change for file in files if file.change is not None]
    return MigrationPlan(changes, [finding for file in files for finding in file.findings], len(files))


def migrated_file(path: Path, target: MigrationTarget, used_elsewhere: Collection[str] = ()) -> MigratedFile:
    """Rewrite one file, without writing it. A file that cannot be read is a finding.

    Args:
        path: The file.
        target: To what it is rewritten.
        used_elsewhere: The names that other files import from it.
    """
    try:
        before = contents(path)
        if not any(mark.encode() in before for mark in MARKS):
            return MigratedFile()
        text, encoding = decoded(path, before)
    except (OSError, ValueError) as error:
        note = Note(line=0, kind=FindingKind.UNREADABLE, text=str(error))
        return MigratedFile(findings=[Finding.in_file(path, note)])
    after, notes, uses = _rewritten(path, text, target, used_elsewhere)
    findings = [Finding.in_file(path, note, cell) for cell, note in notes]
    change = None if after == text else FileChange(path, before, after.encode(encoding), encoding)
    return MigratedFile(change, findings, uses)


def _lines(text: str) -> Sequence[str]:
    """The lines of a text; form feeds, which `str.splitlines` takes for ends, are part of them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


def _rewritten(
    path: Path, text: str, target: MigrationTarget, used_elsewhere: Collection[str]
) -> tuple[str, Sequence[tuple[int, Note]], Sequence[Use]]:
    """The new text of a file; its notes with their cells, and its uses."""
    if FILES.fullmatch(path.name):
        return text, [(0, note) for note in requirement_notes(text)], ()
    if path.suffix == ".ipynb":
        notebook = migrate_notebook(text, partial(migrate_text, target=target, in_notebook=True))
        return notebook.text, notebook.notes, notebook.uses
    is_json = path.suffix == ".json"
    one = migrate_components(text) if is_json else migrate_text(text, target, used_elsewhere=used_elsewhere)
    return one.text, [(0, note) for note in one.notes], one.uses
