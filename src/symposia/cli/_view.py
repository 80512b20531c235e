"""The contract of the views, and what both of them show: descriptions, lines of output, text that is safe to print."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.core.code_executor import OutputStream
from symposia.presets.coding import CodingResult, Outcome

TASK_SOURCE = "user"
"""The source of the message with the task, which is shown as the title."""

SHOWN_LINES = 60
SHOWN_CHARACTERS = 2_000
MORE = "[… {:,} more lines: the whole output is in the run's folder, below code/ …]"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDescription:
    """The facts about a run that are shown when it begins.

    Attributes:
        title: The task in one line.
        models: The names of the models by agent.
        recorded: Whether the models' answers are recorded.
        sandbox: The kind of sandbox.
        data: The data files.
        folder: The folder of the results.
    """

    title: str
    models: dict[str, str]
    recorded: bool
    sandbox: str
    data: tuple[Path, ...]
    folder: Path

    def sandbox_line(self) -> str:
        """The sandbox, or a warning if there is none."""
        return "local: this machine, with no protection" if self.sandbox == "local" else self.sandbox

    def models_line(self) -> str:
        """The models by agent, or the one model of all agents."""
        if len(set(self.models.values())) == 1:
            return next(iter(self.models.values()))
        return ", ".join(f"{agent} {model}" for agent, model in self.models.items())


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

    def show(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        """Show one message, event or piece of a stream."""
        ...

    def end(self, result: CodingResult) -> None:
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


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a Markdown text.

    Attributes:
        language: Of a code block; None for prose.
    """

    text: str
    language: str | None = None


def segments(markdown: str) -> Iterator[Segment]:
    """Split a text into prose and fenced code. The last block may be unfinished, as in a stream."""
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
    """The outcome and the figures of a run in one line."""
    programs = len(result.runs)
    parts = [
        "Verified" if result.outcome is Outcome.VERIFIED else f"Not verified: {result.outcome}",
        f"{programs} program{'' if programs == 1 else 's'} ran",
        f"sandbox {result.sandbox}",
        seconds(result.wall_seconds),
        _tokens(result),
    ]
    return " · ".join(parts)


def _tokens(result: CodingResult) -> str:
    if not result.estimated:
        return f"{result.total_tokens:,} tokens"
    return f"about {result.total_tokens:,} tokens, {'recorded' if result.recorded else 'estimated'}"


def contents(result: CodingResult) -> list[tuple[str, str]]:
    """The entries of the run's folder, with a description of each."""
    programs = len(result.runs)
    files = ", ".join(file.path for file in result.files[:5]) + (" …" if len(result.files) > 5 else "")  # noqa: PLR2004
    listed = [("answer.md", "the answer" if result.answer else "how it ended")]
    if programs:
        listed.append(("code/", f"{programs} program{'' if programs == 1 else 's'} with exit status and output"))
    if files:
        listed.append(("files/", files))
    return [*listed, ("transcript.md", "the conversation, .jsonl too"), ("usage.json", "tokens by agent and model")]
