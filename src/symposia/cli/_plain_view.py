"""The view for logs, pipes and dumb terminals: plain lines without control codes, each written at once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self, TextIO

from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    CodeOutputEvent,
    ExecutionMessage,
    MultiModalMessage,
    ProgressLedgerEvent,
    StructuredMessage,
    TextMessage,
)
from symposia.agentchat.teams import DebateCritique, DebateStatement, DebateSummary
from symposia.cli._view import (
    TASK_SOURCE,
    LineBuffer,
    OutputLine,
    RunDescription,
    RunEnding,
)
from symposia.core.code_executor import BlockResult
from symposia.core.terminal_text import printable
from symposia.presets.coding import Plan, Review


class PlainView:
    """Writes each message once it is complete, and a program's output line by line.

    Args:
        out: The stream to write to.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._started = time.monotonic()
        self._lines = LineBuffer()
        self._execution = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write_output(self._lines.rest())

    def note(self, text: str) -> None:
        """Write one line."""
        self._write([text])

    def begin(self, run: RunDescription) -> None:
        """Write the description, one line for each fact."""
        self._started = time.monotonic()
        self._write([f"{run.subject}: {run.title}", f"Model: {run.models_line()}"])
        if run.note:
            self._write([run.note])
        self._write([*(f"{name}: {value}" for name, value in run.details), f"Results: {run.folder}", ""])

    def tell(self, lines: Sequence[str]) -> None:
        """Write the lines."""
        if lines:
            self._write([*lines, ""])

    def show(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        """Write a message with its sender and the time since the run."""
        match message:
            case CodeOutputEvent():
                if message.full_message_id != self._execution:
                    self._execution = message.full_message_id
                    self._write_message(message.source, "runs the program")
                self._write_output(self._lines.add(message.stream, message.content))
            case ExecutionMessage():
                self._write_output(self._lines.rest())
                for run in message.runs:
                    self._write_message(message.source, run_line(run))
                if message.remark:
                    self._write_message(message.source, message.remark)
            case _:
                if (told := _told(message)) is not None:
                    self._write_message(message.source, *told)

    def end(self, ending: RunEnding) -> None:
        """Write the answer, the summary and the contents of the folder."""
        self._write(["", f"{ending.title}:", "", *printable(ending.text).splitlines(), "", ending.summary])
        if ending.folder:
            self._write([f"Results: {ending.folder}", *(f"  {name:<14} {what}" for name, what in ending.contents)])

    def _write_output(self, lines: Iterable[OutputLine]) -> None:
        self._write(f"    | {printable(line.text)}" for line in lines)

    def _write_message(self, source: str, what: str, lines: Iterable[str] = ()) -> None:
        elapsed = time.monotonic() - self._started
        self._write(
            [f"[{elapsed:7.1f} s] {source}: {printable(what)}", *(f"    {printable(line)}".rstrip() for line in lines)]
        )

    def _write(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._out.write(f"{line}\n")
        self._out.flush()


def run_line(run: BlockResult) -> str:
    """The ending of a program, its duration and its files."""
    files = "".join(f" · made {file.path} ({file.size:,} bytes)" for file in run.artifacts)
    after = "" if run.status == "cancelled" else f" after {run.wall_seconds:.2f} s"
    return f"{run.ending}{after}{files}"


def vote_line(statement: DebateStatement) -> str:
    """The vote after a statement, with its reason."""
    return f"{statement.source} {statement.vote}" + (f": {statement.vote.reason}" if statement.vote.reason else "")


def _told(message: BaseAgentEvent | BaseChatMessage) -> tuple[str, Iterable[str]] | None:
    """What a message is, and its lines; None for a message that is not shown."""
    match message:
        case StructuredMessage(content=Plan() as plan):
            return "plan", [f"{number}. {step}" for number, step in enumerate(plan.steps, 1)]
        case StructuredMessage(content=Review() as review):
            return "approved" if review.approved else "sent back", review.reasons
        case DebateStatement():
            return f"round {message.round}", [*message.content.splitlines(), "", vote_line(message)]
        case DebateCritique() | DebateSummary():
            return f"on round {message.round}", message.to_text().splitlines()
        case ProgressLedgerEvent():
            return message.to_text(), []
        case MultiModalMessage() if message.source != TASK_SOURCE:
            return "wrote", message.to_text().splitlines()
        case TextMessage() if message.source != TASK_SOURCE:
            return "wrote", message.content.splitlines()
        case _:
            return None
