"""`TextCanvas`: texts by name, with all their revisions."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import unified_diff
from itertools import pairwise
from typing import Final

from symposia.core.argument_checks import check_text
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.memory.canvas._patch import apply_patch, lines_of

CANVAS_HEADER: Final = "=== CANVAS FILES ==="
"""The first line of what a model is shown of a canvas."""


class TextCanvas:
    """Texts by name, with all their revisions, which are numbered from 1."""

    def __init__(self) -> None:
        self._revisions: dict[str, list[str]] = {}

    def list_files(self) -> dict[str, int]:
        """The latest revision of each file."""
        return {name: len(revisions) for name, revisions in self._revisions.items()}

    def get_latest_content(self, filename: str) -> str:
        """The text of the latest revision; empty for a file that does not exist."""
        revisions = self._revisions.get(filename)
        return revisions[-1] if revisions else ""

    def get_revision_content(self, filename: str, revision: int) -> str:
        """The text of a revision; empty if there is none."""
        revisions = self._revisions.get(filename, [])
        return revisions[revision - 1] if 1 <= revision <= len(revisions) else ""

    def add_or_update_file(self, filename: str, new_content: str | bytes) -> None:
        """Write a file: its next revision.

        Raises:
            ArgumentTypeError: The name or the content is no text.
            UnicodeDecodeError: The content is bytes that are no UTF-8.
        """
        check_text("The filename", "TextCanvas.add_or_update_file", filename)
        text = new_content.decode() if isinstance(new_content, bytes) else new_content
        check_text("The new_content", "TextCanvas.add_or_update_file", text)
        self._revisions.setdefault(filename, []).append(text)

    def get_diff(self, filename: str, from_revision: int, to_revision: int) -> str:
        """The change from one revision to another, as a unified diff. A revision that does not exist is empty."""
        before, after = (self.get_revision_content(filename, each) for each in (from_revision, to_revision))
        return _diff(filename, (from_revision, before), (to_revision, after))

    def get_revision_diffs(self, filename: str) -> list[str]:
        """The changes from each revision to the next, as unified diffs."""
        numbered = enumerate(self._revisions.get(filename, []), start=1)
        return [_diff(filename, before, after) for before, after in pairwise(numbered)]

    def apply_patch(self, filename: str, patch_data: str | bytes) -> None:
        """Change a file by a unified diff: its next revision.

        Raises:
            InvalidArgumentError: There is no such file, or the diff does not fit it; also a `ValueError`.
        """
        patched = self.patched(filename, patch_data)
        self._revisions[filename].append(patched)

    def patched(self, filename: str, patch_data: str | bytes) -> str:
        """A file as a unified diff would change it.

        Raises:
            InvalidArgumentError: There is no such file, or the diff does not fit it; also a `ValueError`.
        """
        if filename not in self._revisions:
            names = ", ".join(self._revisions) or "none yet"
            raise InvalidArgumentError(
                f"There is no file {filename!r} on the canvas, whose files are: {names}. Write it first."
            )
        patch = patch_data.decode() if isinstance(patch_data, bytes) else patch_data
        return apply_patch(self.get_latest_content(filename), patch, filename)

    def get_all_contents_for_context(self) -> str:
        """All files as one text for a model, each with its name and revision."""
        return self.get_new_contents_for_context([])

    def get_new_contents_for_context(self, shown: Sequence[str]) -> str:
        """The files that a model has not seen in their latest revision, as one text for it, which names the others.

        Args:
            shown: The texts that it has seen.
        """
        parts: list[str] = []
        seen: list[str] = []
        for name, revisions in self._revisions.items():
            title = f"{name} (rev {len(revisions)})"
            part = f"File: {title}:\n{revisions[-1]}\n"
            if any(f"\n{part}\n" in text for text in shown):
                seen.append(title)
            else:
                parts.append(part)
        others = [f"Shown before, and unchanged: {', '.join(seen)}\n"] if seen else []
        return "\n".join([CANVAS_HEADER, *parts, *others, "=== END OF CANVAS ==="])

    def clear(self) -> None:
        """Remove all files, with their revisions."""
        self._revisions.clear()


def _diff(name: str, before: tuple[int, str], after: tuple[int, str]) -> str:
    """A unified diff that `apply_patch` reads back: a last line without an end says so."""
    lines = unified_diff(
        lines_of(before[1]),
        lines_of(after[1]),
        fromfile=f"{name}@r{before[0]}",
        tofile=f"{name}@r{after[0]}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
