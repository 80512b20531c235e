"""Applying unified diffs, such as models write them: the positions in their headers are only a hint."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from symposia.core.exceptions import InvalidArgumentError

_HUNK: Final = re.compile(r"@@+ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")


@dataclass
class _Hunk:
    """A change: the lines that it expects, those that it leaves in their place, and where the first is expected.

    Attributes:
        counted: How many lines it expects by its header, which models count badly.
    """

    number: int
    counted: int
    start: int
    before: list[str] = field(default_factory=list[str])
    after: list[str] = field(default_factory=list[str])


def lines_of(text: str) -> list[str]:
    """The lines of a text, with their ends. `str.splitlines` was rejected: to it, a form feed ends a line as well."""
    return io.StringIO(text).readlines()


def apply_patch(text: str, patch: str, name: str) -> str:
    """A text after the changes of a unified diff.

    Each change is made where its lines are, the closest place to its position first.

    Args:
        text: The text.
        patch: The diff, of this text only.
        name: The name of the text in errors.

    Raises:
        InvalidArgumentError: The diff has no change, is of several files, or expects lines that the text does not have.
    """
    lines = lines_of(text)
    hunks = list(_hunks(_lines_of_patch(patch)))
    if not hunks:
        raise InvalidArgumentError(
            "The patch has no change: give a unified diff, with a line such as '@@ -1,3 +1,3 @@' before each change."
        )
    done = moved = 0
    for hunk in hunks:
        place = _place(lines, hunk, done, hunk.start + moved)
        if place is None:
            expected = "".join(hunk.before)
            raise InvalidArgumentError(
                f"Change {hunk.number} of the patch does not fit {name}, which has no such lines in that place:"
                f"\n{expected}\nRead the latest content, and write the patch again."
            )
        if place and hunk.after and not lines[place - 1].endswith("\n"):
            lines[place - 1] += "\n"
        lines[place : place + len(hunk.before)] = hunk.after
        done = place + len(hunk.after)
        moved = place - hunk.start + len(hunk.after) - len(hunk.before)
    return "".join(lines)


def _lines_of_patch(patch: str) -> list[str]:
    """The lines of a patch, without empty ones at its end. Models leave out the end of the last line."""
    lines = lines_of(patch)
    while lines and not lines[-1].strip("\r\n"):
        lines.pop()
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return lines


def _hunks(lines: Sequence[str]) -> Iterator[_Hunk]:
    hunk: _Hunk | None = None
    files = number = 0
    previous = ""
    for index, line in enumerate(lines):
        header = _HUNK.match(line)
        if header:
            if hunk is not None:
                yield hunk
            number += 1
            start, count = int(header[1]), int(header[2] or 1)
            # A change that expects no line names the line before it.
            hunk = _Hunk(number, count, start if count == 0 else max(0, start - 1))
        elif _begins_a_file(lines[index : index + 3]) and (hunk is None or len(hunk.before) >= hunk.counted):
            files += 1
            if hunk is not None:
                yield hunk
                hunk = None
            if files > 1:
                raise InvalidArgumentError("The patch is of several files: give a patch of one file.")
        elif hunk is not None:
            _add_line(hunk, line, previous)
        previous = line
    if hunk is not None:
        yield hunk


def _begins_a_file(lines: Sequence[str]) -> bool:
    """Whether these are the names of a file and its first change.

    Within the lines that its header counts, a change may have them as well: "--- x" removes the line "-- x".
    """
    match lines:
        case [old, new, change]:
            return old.startswith("--- ") and new.startswith("+++ ") and _HUNK.match(change) is not None
        case _:
            return False


def _add_line(hunk: _Hunk, line: str, previous: str) -> None:
    sign, rest = line[0], line[1:]
    if sign == " " or line.strip("\r\n") == "":  # models leave out the space of an empty line
        hunk.before.append(rest if sign == " " else line)
        hunk.after.append(rest if sign == " " else line)
    elif sign == "-":
        hunk.before.append(rest)
    elif sign == "+":
        hunk.after.append(rest)
    elif sign == "\\":  # "No newline at end of file"
        end = "\r\n" if line.endswith("\r\n") else "\n"
        for side, signs in ((hunk.before, " -"), (hunk.after, " +")):
            if side and previous[:1] in signs:
                side[-1] = side[-1].removesuffix(end)


def _place(lines: Sequence[str], hunk: _Hunk, first: int, expected: int) -> int | None:
    """Where a change can be made, the closest place to the expected one; None if nowhere."""
    wanted = [line.rstrip("\r\n") for line in hunk.before]
    if not wanted:
        return min(max(expected, first), len(lines))
    if expected >= first and wanted == [line.rstrip("\r\n") for line in lines[expected : expected + len(wanted)]]:
        return expected
    bare = (line.rstrip("\r\n") for line in islice(lines, first, None))
    places = (first + place for place in _occurrences(bare, wanted))
    return min(places, key=lambda place: abs(place - expected), default=None)


def _occurrences(lines: Iterable[str], wanted: Sequence[str]) -> Iterator[int]:
    """Where some lines are among others, in steps whose number grows with the lines (Knuth, Morris and Pratt)."""
    again = _borders(wanted)
    same = 0
    for number, line in enumerate(lines):
        while same and (same == len(wanted) or wanted[same] != line):
            same = again[same - 1]
        same += wanted[same] == line
        if same == len(wanted):
            yield number - same + 1


def _borders(wanted: Sequence[str]) -> list[int]:
    """For each line: how many of the last ones up to it are the first ones, all of them not counted."""
    borders = [0]
    for line in wanted[1:]:
        same = borders[-1]
        while same and wanted[same] != line:
            same = borders[same - 1]
        borders.append(same + (wanted[same] == line))
    return borders
