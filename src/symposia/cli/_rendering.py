"""Messages as objects that rich can draw. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ExecutionMessage,
    StructuredMessage,
    TextMessage,
)
from symposia.agentchat.teams import DebateCritique, DebateStatement, DebateSummary
from symposia.cli._plain_view import run_line, vote_line
from symposia.cli._view import (
    TASK_SOURCE,
    OutputLine,
    RunDescription,
    RunEnding,
    seconds,
    segments,
)
from symposia.core.code_executor import BlockResult
from symposia.core.terminal_text import printable
from symposia.presets.coding import Plan, Review

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


def description_block(run: RunDescription) -> RenderableType:
    """The title of the run, its models, data, sandbox and folder."""
    details = Table.grid(padding=(0, 2))
    details.add_column(style="dim", no_wrap=True)
    details.add_column(overflow="fold")
    details.add_row("Model", run.models_line())
    for name, value in run.facts:
        details.add_row(name, printable(value))
    details.add_row("Results", str(run.folder))
    parts: list[RenderableType] = [Text(printable(run.title), "bold"), details]
    if run.note:
        parts.append(Text(run.note, "yellow"))
    return Group(*parts, Text())


def message_block(message: BaseAgentEvent | BaseChatMessage) -> RenderableType | None:
    """The body of a message; None for messages that are not shown."""
    match message:
        case StructuredMessage(content=Plan() as plan):
            return _items(plan.steps, numbered=True)
        case StructuredMessage(content=Review() as review):
            return _verdict(review)
        case ExecutionMessage():
            return Group(*map(_run, message.runs), *([Text(message.remark, "red")] if message.remark else []))
        case DebateStatement():
            return Group(markdown_block(message.content), Text(), Text(printable(vote_line(message)), "bold"))
        case DebateCritique() | DebateSummary():
            return markdown_block(message.to_text())
        case TextMessage() if message.source != TASK_SOURCE:
            return markdown_block(message.content)
        case _:
            return None


def markdown_block(text: str) -> RenderableType:
    """Prose as plain text and code in colours. The text may end inside a code block."""
    parts: list[RenderableType] = []
    for segment in segments(printable(text)):
        if parts:
            parts.append(Text())
        parts.append(Text(segment.text) if segment.language is None else _code(segment.text, segment.language))
    return Group(*parts)


def output_line(line: OutputLine) -> RenderableType:
    """A line that a program printed, behind a bar that is red for stderr. A long line is wrapped."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text("│", "red" if line.stream == "stderr" else "dim"), Text(printable(line.text)))
    return indented(table)


def indented(body: RenderableType) -> RenderableType:
    """Indent the body of a message."""
    return Padding(body, (0, 0, 0, INDENT))


def end_block(ending: RunEnding) -> RenderableType:
    """The answer or the reason that there is none, the summary, and the contents of the folder."""
    style = "bold green" if ending.succeeded else "bold red"
    text = printable(ending.text)
    body: RenderableType = Markdown(text, hyperlinks=False) if ending.succeeded else Text(text)
    title = Text(f"{'✓' if ending.succeeded else '✗'} {ending.title}", style)
    parts: list[RenderableType] = [title, indented(body), Text(), Text(ending.summary, style)]
    if ending.folder:
        parts += [Text.assemble("Results in ", (str(ending.folder), "bold")), indented(_contents(ending.contents))]
    return Group(*parts)


def _contents(entries: Iterable[tuple[str, str]]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(style="dim", overflow="fold")
    for name, what in entries:
        table.add_row(name, printable(what))
    return table


def _items(items: Iterable[str], *, numbered: bool = False) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for number, item in enumerate(items, 1):
        table.add_row(f"{number}." if numbered else "-", Text(printable(item)))
    return table


def _verdict(review: Review) -> RenderableType:
    if review.approved:
        quoted = len(review.evidence)
        lines = "the line it rests on is" if quoted == 1 else f"all {quoted} lines it rests on are"
        return Text(f"✓ approved: {lines} in the program's output", "green")
    return Group(Text("↩ sent back", "red"), _items(review.reasons))


def _run(run: BlockResult) -> Text:
    succeeded = run.exit_code == 0
    return Text(f"{'✓' if succeeded else '✗'} {printable(run_line(run))}", "green" if succeeded else "red")


def _code(code: str, language: str) -> RenderableType:
    return Syntax(code, language, theme="ansi_dark", background_color="default", word_wrap=True)


def last_lines(text: str, count: int) -> str:
    """The last lines of a growing text, after the fence of the code block that they are in."""
    lines = text.splitlines()
    if len(lines) <= count:
        return text
    hidden, shown = lines[:-count], lines[-count:]
    return "\n".join([*_open_fence(hidden), *shown])


def _open_fence(lines: Iterable[str]) -> Iterator[str]:
    fence = ""
    for line in lines:
        if line.lstrip().startswith("```"):
            fence = "" if fence else line
    if fence:
        yield fence
