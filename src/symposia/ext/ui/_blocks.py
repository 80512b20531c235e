"""The parts of messages as objects that rich can draw. Pure functions."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.syntax import Syntax
from rich.text import Text

from symposia.core.terminal_text import printable
from symposia.ext.ui._text import seconds, segments, shortened

COLOURS = ("magenta", "cyan", "yellow", "blue", "green")
INDENT = 2


class Palette:
    """Assigns a colour to each speaker, in the order of their first messages."""

    def __init__(self) -> None:
        self._colours: dict[str, str] = {}

    def colour(self, source: str) -> str:
        """The colour of a speaker."""
        return self._colours.setdefault(source, COLOURS[len(self._colours) % len(COLOURS)])


def heading(source: str, colour: str, elapsed: float, what: str = "") -> Text:
    """The speaker's name, and the time since the start of the run."""
    line = Text.assemble(("● ", colour), (source, f"bold {colour}"))
    if what:
        line.append(f" {what}")
    return line.append(f"  {seconds(elapsed)}", "dim")


def markdown_block(text: str) -> RenderableType:
    """Prose as plain text and code in colours, shortened. The text may end inside a code block."""
    parts: list[RenderableType] = []
    for segment in segments(printable(shortened(text))):
        if parts:
            parts.append(Text())
        parts.append(Text(segment.text) if segment.language is None else _code(segment.text, segment.language))
    return Group(*parts)


def indented(body: RenderableType) -> RenderableType:
    """Indent the body of a message."""
    return Padding(body, (0, 0, 0, INDENT))


def _code(code: str, language: str) -> RenderableType:
    return Syntax(code, language, theme="ansi_dark", background_color="default", word_wrap=True)
