"""Replacing a text in a file by another, whatever the ends of their lines: models know one kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from symposia.core.exceptions import InvalidArgumentError

_END: Final = re.compile(r"\r\n|\r|\n")


def edited(content: str, old: str, new: str, name: str) -> tuple[str, int]:
    """A text with a part of it replaced, and the number of the line where that begins.

    Lines that stay keep their ends. New ones get the end that most of the replaced lines have, or of the text's.

    Args:
        content: The text.
        old: The part, which has to be in one place only.
        new: What is there instead.
        name: The name of the text in errors.

    Raises:
        InvalidArgumentError: The part is in no place, or in several, which may overlap.
    """
    ends = _END.findall(content)
    plain, old, new = (_END.sub("\n", text) for text in (content, old, new))
    start = plain.find(old) if old else -1
    if start < 0 or plain.find(old, start + 1) >= 0:
        times = "not" if start < 0 else "in more than one place"
        raise InvalidArgumentError(
            f"The old_text is {times} in {name!r}, which is unchanged. Give a text that is in it once: read the file, "
            "and copy some lines."
        )
    before = plain.count("\n", 0, start)
    replaced = ends[before : before + old.count("\n")]
    begin = start + _more(ends[:before])
    end = begin + len(old) + _more(replaced)
    usual = Counter(replaced or ends).most_common(1)
    text = _with_ends(new, _ends_of(new, old, replaced, usual[0][0] if usual else "\n"))
    return f"{content[:begin]}{text}{content[end:]}", before + 1


def _more(ends: Sequence[str]) -> int:
    """How many characters more there are than with ends of one character."""
    return sum(map(len, ends)) - len(ends)


def _ends_of(new: str, old: str, replaced: Sequence[str], usual: str) -> list[str]:
    """The ends of the new lines: of those that both texts begin or end with, the ends that they have."""
    new_lines, old_lines = new.split("\n"), old.split("\n")
    count = len(new_lines) - 1
    most = min(count, len(replaced))
    first = min(_same(new_lines, old_lines), most)
    last = min(_same(new_lines[::-1], old_lines[::-1]), most - first)
    return [*replaced[:first], *[usual] * (count - first - last), *replaced[len(replaced) - last :]]


def _same(lines: Sequence[str], others: Sequence[str]) -> int:
    """How many lines both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(lines, others, strict=False)))


def _with_ends(text: str, ends: Sequence[str]) -> str:
    lines = text.split("\n")
    return "".join(line + end for line, end in zip(lines, [*ends, ""], strict=True))
