"""Text on its way to a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symposia.presets.coding import CodingResult, Outcome

_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"}
_INVISIBLE = {0x7F: 0x2421, **dict.fromkeys(range(0x80, 0xA0), 0xFFFD), **dict.fromkeys((0x2028, 0x2029), 0x20)}
_DIRECTIONS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_HARMLESS = {**_PICTURES, **_INVISIBLE, **_DIRECTIONS}


def harmless(text: str) -> str:
    """Show control characters as pictures, so that what a model or a program says cannot steer the terminal.

    A lone carriage return, as progress bars print it, becomes a new line.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_HARMLESS)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a Markdown text.

    Attributes:
        language: Of a code block; None for prose.
    """

    text: str
    language: str | None = None


def segments(markdown: str) -> Iterator[Segment]:
    """Take prose and fenced code apart; the last block may be unfinished, as it is while it streams."""
    language: str | None = None
    lines: list[str] = []
    for line in markdown.splitlines():
        if not line.lstrip().startswith("```"):
            lines.append(line)
            continue
        if any(each.strip() for each in lines):
            yield Segment("\n".join(lines).strip("\n"), language)
        lines = []
        language = (line.strip("` ") or "text") if language is None else None
    if any(each.strip() for each in lines):
        yield Segment("\n".join(lines).strip("\n"), language)


def seconds(elapsed: float) -> str:
    """``4.2 s``, ``2 min 05 s``."""
    if elapsed < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{elapsed:.1f} s"
    minutes, rest = divmod(int(elapsed), 60)
    return f"{minutes} min {rest:02} s"


def summary(result: CodingResult) -> str:
    """One line: how it ended, after what."""
    programs = len(result.runs)
    parts = [
        "Verified" if result.outcome is Outcome.VERIFIED else f"Not verified: {result.outcome}",
        f"{programs} program{'' if programs == 1 else 's'} ran",
        f"sandbox {result.sandbox}",
        seconds(result.wall_seconds),
        f"about {result.total_tokens:,} tokens, recorded" if result.recorded else f"{result.total_tokens:,} tokens",
    ]
    return " · ".join(parts)


def contents(result: CodingResult) -> list[tuple[str, str]]:
    """What stands in the run's folder, with a word on each."""
    programs = len(result.runs)
    files = ", ".join(file.path for file in result.files[:5]) + (" …" if len(result.files) > 5 else "")  # noqa: PLR2004
    listed = [("answer.md", "the answer" if result.answer else "how it ended")]
    if programs:
        listed.append(("code/", f"{programs} program{'' if programs == 1 else 's'} with exit status and output"))
    if files:
        listed.append(("files/", files))
    return [*listed, ("transcript.md", "the conversation, .jsonl too"), ("usage.json", "tokens by agent and model")]
