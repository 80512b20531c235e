"""Messages as objects that rich can draw. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ExecutionMessage,
    MultiModalMessage,
    ProgressLedgerEvent,
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
)
from symposia.core.code_executor import BlockResult
from symposia.core.terminal_text import printable
from symposia.ext.ui import indented, markdown_block
from symposia.presets.coding import Plan, Review


def description_block(run: RunDescription) -> RenderableType:
    """The title of the run, its models, data, sandbox and folder."""
    details = Table.grid(padding=(0, 2))
    details.add_column(style="dim", no_wrap=True)
    details.add_column(overflow="fold")
    details.add_row("Model", run.models_line())
    for name, value in run.details:
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
        case ProgressLedgerEvent():
            is_stalled = message.is_in_loop or not (message.is_progressing or message.is_satisfied)
            return Text(printable(message.to_text()), "yellow" if is_stalled else "bold")
        case MultiModalMessage() if message.source != TASK_SOURCE:
            return markdown_block(message.to_text())
        case TextMessage() if message.source != TASK_SOURCE:
            return markdown_block(message.content)
        case _:
            return None


def output_line(line: OutputLine) -> RenderableType:
    """A line that a program printed, behind a bar that is red for stderr. A long line is wrapped."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text("│", "red" if line.stream == "stderr" else "dim"), Text(printable(line.text)))
    return indented(table)


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
