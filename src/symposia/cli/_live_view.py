"""The view for a terminal: finished messages, and below them the message that streams in and a line of status."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    CodeOutputEvent,
    ExecutionMessage,
    ModelClientStreamingChunkEvent,
    SelectSpeakerEvent,
)
from symposia.cli._rendering import (
    description_block,
    end_block,
    message_block,
    output_line,
)
from symposia.cli._view import LineBuffer, OutputLine, RunDescription, RunEnding
from symposia.core.terminal_text import printable
from symposia.ext.ui import Palette, heading, indented, last_lines, markdown_block, seconds

ROWS_BELOW = 8
FRAMES_A_SECOND = 10


class LiveView:
    """Shows tokens as they stream in, a program's output line by line, and the time and tokens used so far.

    Args:
        console: A terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = _Status()
        self._lines = LineBuffer()
        self._palette = Palette()
        self._execution = ""
        self._live = Live(
            self._status, console=console, refresh_per_second=FRAMES_A_SECOND, transient=True, redirect_stderr=False
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._print_output(self._lines.rest())
        self._live.stop()

    def note(self, text: str) -> None:
        """Show the text in the line of status."""
        self._status.doing = printable(text)

    def begin(self, run: RunDescription) -> None:
        """Print the title block and start the clock."""
        self._status.started = time.monotonic()
        self._status.doing = "starts"
        self._console.print(description_block(run))

    def tell(self, lines: Sequence[str]) -> None:
        """Print the lines."""
        if lines:
            self._console.print(Text("\n".join(lines), "dim"), Text())

    def show(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        """Extend the message that streams in, or print a finished one."""
        match message:
            case CodeOutputEvent():
                if message.full_message_id != self._execution:
                    self._execution = message.full_message_id
                    self._status.doing = f"{message.source} runs the program"
                    self._console.print(self._heading(message.source, "in the sandbox"))
                self._print_output(self._lines.add(message.stream, message.content))
            case ModelClientStreamingChunkEvent():
                self._status.stream(message.source, self._palette.colour(message.source), message.content)
            case SelectSpeakerEvent():
                if message.content:  # none are chosen where the rule asked a model and then stopped the team
                    self._status.doing = f"{message.content[0]} works"
            case _:
                self._print_message(message)

    def end(self, ending: RunEnding) -> None:
        """Print the answer, the summary and the contents of the folder."""
        self._live.stop()
        self._console.print(end_block(ending))

    def _heading(self, source: str, what: str = "") -> Text:
        return heading(source, self._palette.colour(source), self._status.elapsed, what)

    def _print_message(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        self._status.streams.pop(message.source, None)
        if message.models_usage:
            self._status.tokens += message.models_usage.prompt_tokens + message.models_usage.completion_tokens
        body = message_block(message)
        if body is None:
            return
        if isinstance(message, ExecutionMessage):
            self._print_output(self._lines.rest())
        else:
            self._console.print(self._heading(message.source))
        self._console.print(indented(body))
        self._console.print()

    def _print_output(self, lines: list[OutputLine]) -> None:
        for line in lines:
            self._console.print(output_line(line))


class _Status:
    """The end of the message that streams in, and a line with the present activity.

    Of several messages that stream in at the same time, the one is shown that began first.
    """

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.doing = "starts"
        self.streams: dict[str, tuple[str, str]] = {}  # by speaker: its colour, and its text so far
        self.tokens = 0
        self._spinner = Spinner("dots")

    def stream(self, speaker: str, colour: str, piece: str) -> None:
        """Add a piece to the message of a speaker."""
        _, text = self.streams.get(speaker, (colour, ""))
        self.streams[speaker] = colour, text + piece
        self.doing = f"{' and '.join(self.streams)} {'write' if len(self.streams) > 1 else 'writes'}"

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        parts = [self.doing, seconds(self.elapsed), *([f"{self.tokens:,} tokens"] if self.tokens else [])]
        line = Text(" · ".join(parts), "dim", overflow="ellipsis")
        line.no_wrap = True
        self._spinner.update(text=line)
        if self.streams:
            rows = max(1, console.height - ROWS_BELOW)
            speaker, (colour, text) = next(iter(self.streams.items()))
            yield heading(speaker, colour, self.elapsed)
            yield indented(markdown_block(last_lines(text, rows)))
            yield Text()
        yield self._spinner
