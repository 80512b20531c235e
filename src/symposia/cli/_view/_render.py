"""What messages look like on a terminal, as things that rich can draw. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, StructuredMessage, TextMessage
from symposia.cli._view._lines import OutputLine
from symposia.cli._view._plain import run_line
from symposia.cli._view._text import contents, harmless, seconds, segments, summary
from symposia.cli._view._view import RECORDED_NOTE, TASK_SOURCE, Beginning
from symposia.presets.coding import BlockRun, CodingResult, ExecutionMessage, Plan, Review

COLOURS = ("magenta", "cyan", "yellow", "blue", "green")
INDENT = 2


class Palette:
    """A colour for each speaker, in the order in which they are first asked for."""

    def __init__(self) -> None:
        self._colours: dict[str, str] = {}

    def colour(self, source: str) -> str:
        """The speaker's colour, the same each time."""
        return self._colours.setdefault(source, COLOURS[len(self._colours) % len(COLOURS)])


def heading(source: str, colour: str, elapsed: float, what: str = "") -> Text:
    """The speaker's name, and how long the run has been going."""
    line = Text.assemble(("● ", colour), (source, f"bold {colour}"))
    if what:
        line.append(f" {what}")
    return line.append(f"  {seconds(elapsed)}", "dim")


def beginning_block(beginning: Beginning) -> RenderableType:
    """The title, and what the run is made of."""
    details = Table.grid(padding=(0, 2))
    details.add_column(style="dim", no_wrap=True)
    details.add_column(overflow="fold")
    details.add_row("Model", beginning.models_line())
    if beginning.data:
        details.add_row("Data", ", ".join(path.name for path in beginning.data))
    details.add_row("Sandbox", beginning.sandbox_line())
    details.add_row("Results", str(beginning.folder))
    parts: list[RenderableType] = [Text(harmless(beginning.title), "bold"), details]
    if beginning.recorded:
        parts.append(Text(RECORDED_NOTE, "yellow"))
    return Group(*parts, Text())


def message_block(message: BaseAgentEvent | BaseChatMessage) -> RenderableType | None:
    """The body of a message; None for what is not shown."""
    match message:
        case StructuredMessage(content=Plan() as plan):
            return _items(plan.steps, numbered=True)
        case StructuredMessage(content=Review() as review):
            return _verdict(review)
        case ExecutionMessage():
            return Group(*map(_run, message.runs), *([Text(message.remark, "red")] if message.remark else []))
        case TextMessage() if message.source != TASK_SOURCE:
            return markdown_block(message.content)
        case _:
            return None


def markdown_block(text: str) -> RenderableType:
    """Prose as it stands and code in colours; it may end in the middle of a block."""
    parts: list[RenderableType] = []
    for segment in segments(harmless(text)):
        if parts:
            parts.append(Text())
        parts.append(Text(segment.text) if segment.language is None else _code(segment.text, segment.language))
    return Group(*parts)


def output_line(line: OutputLine) -> RenderableType:
    """A line that a program printed, beside a bar that is red for stderr; what is too long goes on below itself."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text("│", "red" if line.stream == "stderr" else "dim"), Text(harmless(line.text)))
    return indented(table)


def indented(body: RenderableType) -> RenderableType:
    """Set in under its heading."""
    return Padding(body, (0, 0, 0, INDENT))


def end_block(result: CodingResult) -> RenderableType:
    """The answer or the reason, the summary, and what is in the folder."""
    if result.answer:
        title, style = Text("✓ Answer", "bold green"), "bold green"
        body: RenderableType = Markdown(harmless(result.answer), hyperlinks=False)
    else:
        title, style = Text("✗ No verified answer", "bold red"), "bold red"
        body = Text(harmless(result.detail))
    parts: list[RenderableType] = [title, indented(body), Text(), Text(summary(result), style)]
    if result.folder:
        parts += [Text.assemble("Results in ", (str(result.folder), "bold")), indented(_contents(result))]
    return Group(*parts)


def _contents(result: CodingResult) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(style="dim", overflow="fold")
    for name, what in contents(result):
        table.add_row(name, harmless(what))
    return table


def _items(items: Iterable[str], *, numbered: bool = False) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for number, item in enumerate(items, 1):
        table.add_row(f"{number}." if numbered else "-", Text(harmless(item)))
    return table


def _verdict(review: Review) -> RenderableType:
    if review.approved:
        quoted = len(review.evidence)
        lines = "the line it rests on is" if quoted == 1 else f"all {quoted} lines it rests on are"
        return Text(f"✓ approved: {lines} in the program's output", "green")
    return Group(Text("↩ sent back", "red"), _items(review.reasons))


def _run(run: BlockRun) -> Text:
    succeeded = run.exit_code == 0
    return Text(f"{'✓' if succeeded else '✗'} {harmless(run_line(run))}", "green" if succeeded else "red")


def _code(code: str, language: str) -> RenderableType:
    return Syntax(code, language, theme="ansi_dark", background_color="default", word_wrap=True)


def last_lines(text: str, count: int) -> str:
    """The end of a text that is still growing, with the fence that it is inside of."""
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
