"""The contract of the views, and what both of them show: descriptions, lines of output, text that is safe to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.core.code_executor import OutputStream
from symposia.core.models import RequestUsage

TASK_SOURCE = "user"
"""The source of the message with the task, which is shown as the title."""

SHOWN_LINES = 60
SHOWN_CHARACTERS = 2_000
MORE = "[… {:,} more lines: the whole output is in the run's folder, below code/ …]"
TRANSCRIPT_AND_USAGE = (("transcript.md", "the conversation, .jsonl too"), ("usage.json", "tokens by agent and model"))
"""The last entries of the folder of every run, each with its description."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDescription:
    """The description of a run that is shown when it begins.

    Attributes:
        subject: The label of the title: ``Task``.
        title: The task in one line.
        models: The names of the models by agent.
        note: A remark about the models, such as that their answers are recorded; may be empty.
        details: Further lines, each a name and a value.
        folder: The folder of the results.
    """

    subject: str
    title: str
    models: dict[str, str]
    note: str
    details: tuple[tuple[str, str], ...]
    folder: Path

    def models_line(self) -> str:
        """The models by agent, or the one model of all agents."""
        if len(set(self.models.values())) == 1:
            return next(iter(self.models.values()))
        return ", ".join(f"{agent} {model}" for agent, model in self.models.items())


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEnding:
    """The ending of a run, as it is shown.

    Attributes:
        title: The heading of the text: ``Answer``.
        succeeded: Whether the run has reached its goal.
        text: The answer in Markdown, or the reason that there is none.
        summary: The outcome and the figures in one line.
        folder: The folder of the results, if there is one.
        contents: Its entries, each with a description.
    """

    title: str
    succeeded: bool
    text: str
    summary: str
    folder: Path | None
    contents: list[tuple[str, str]]


class View(Protocol):
    """Shows a run to its user. It is entered as a context manager before the run starts."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def note(self, text: str) -> None:
        """Show a step of the preparation, such as the setup of a sandbox."""
        ...

    def begin(self, run: RunDescription) -> None:
        """Show the description of the run that begins."""
        ...

    def tell(self, lines: Sequence[str]) -> None:
        """Show lines that stay, such as those of `check_lines`."""
        ...

    def show(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        """Show one message, event or piece of a stream."""
        ...

    def end(self, ending: RunEnding) -> None:
        """Show the answer, the outcome and the contents of the folder."""
        ...


@dataclass(frozen=True, slots=True)
class OutputLine:
    """A line that a program printed, without its line end."""

    text: str
    stream: OutputStream


class LineBuffer:
    """Assembles the pieces of a program's output to lines, up to a limit.

    Args:
        limit: The number of lines of one program that are returned; the rest is counted.
    """

    def __init__(self, limit: int = SHOWN_LINES) -> None:
        self._limit = limit
        self._given = 0
        self._held_back = 0
        self._partial: dict[OutputStream, str] = {}

    def add(self, stream: OutputStream, piece: str) -> list[OutputLine]:
        """Add a piece, and return the lines that it completes."""
        *complete, partial = (self._partial.get(stream, "") + piece).split("\n")
        self._partial[stream] = partial
        return self._within_limit([OutputLine(line, stream) for line in complete])

    def rest(self) -> list[OutputLine]:
        """Return the last lines at the end of a program, and start over."""
        lines = self._within_limit([OutputLine(line, stream) for stream, line in self._partial.items() if line])
        if self._held_back:
            lines.append(OutputLine(MORE.format(self._held_back), "stdout"))
        self._partial, self._given, self._held_back = {}, 0, 0
        return lines

    def _within_limit(self, lines: list[OutputLine]) -> list[OutputLine]:
        room = max(0, self._limit - self._given)
        shown = [OutputLine(line.text[:SHOWN_CHARACTERS], line.stream) for line in lines[:room]]
        self._given += len(shown)
        self._held_back += len(lines) - len(shown)
        return shown


def tokens(total: RequestUsage, *, recorded: bool) -> str:
    """The tokens and the money of a run: ``1,234 tokens (200 from a cache) · $0.0123``."""
    if total.estimated:
        text = f"about {total.total_tokens:,} tokens, {'recorded' if recorded else 'estimated'}"
    else:
        text = f"{total.total_tokens:,} tokens"
    parts = {"from a cache": total.cached_tokens, "of reasoning": total.reasoning_tokens}
    if shown := ", ".join(f"{count:,} {what}" for what, count in parts.items() if count):
        text += f" ({shown})"
    return text if recorded or not total.total_tokens else f"{text} · {total.money}"
