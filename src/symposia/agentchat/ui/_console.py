"""Printing the stream of a run on standard output."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable
from typing import TypeVar

from symposia.agentchat.base import Response, TaskResult
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    MultiModalMessage,
    SelectSpeakerEvent,
)
from symposia.agentchat.ui._images import inline_image
from symposia.agentchat.ui._stream import Prices, StreamedMessage, StreamTotals, print_stream, write_text
from symposia.agentchat.ui._user_input_manager import UserInputManager
from symposia.core import Image
from symposia.core.terminal_text import printable

T = TypeVar("T", bound=TaskResult | Response)


async def Console(  # noqa: N802 - AutoGen's name
    stream: AsyncIterable[BaseAgentEvent | BaseChatMessage | T],
    *,
    no_inline_images: bool = False,
    output_stats: bool = False,
    user_input_manager: UserInputManager | None = None,
    prices: Prices | None = None,
) -> T:
    """Print what happens, as it happens, and return how it ended.

    Args:
        stream: Of `run_stream` of a team or an agent, or of `on_messages_stream` of an agent.
        no_inline_images: Print ``<image>`` also where the terminal (iTerm2, WezTerm, kitty, Ghostty) can show images.
        output_stats: Print the tokens of each message, and a summary at the end, whose last line has the turns, the
            tokens, the money and the time.
        user_input_manager: Notified when the request for a person's input is reached.
        prices: The price of tokens for the summary, in place of the models' own: for all agents, or by their names.

    Returns:
        The last `TaskResult` or `Response` of the stream.

    Raises:
        ArgumentTypeError: `stream` is no asynchronous iterable, or `user_input_manager` no manager.
        InvalidArgumentError: `stream` ended without a `TaskResult` or a `Response`.
    """
    return await print_stream(
        stream,
        _Printer(inline_images=not no_inline_images, stats=output_stats, totals=StreamTotals(prices)),
        user_input_manager,
    )


class _Printer:
    """Writes messages to standard output, the chunks of a streamed one as they come."""

    def __init__(self, *, inline_images: bool, stats: bool, totals: StreamTotals) -> None:
        self._inline_images = inline_images
        self._stats = stats
        self._totals = totals
        self._streamed = StreamedMessage()

    def show(self, item: BaseAgentEvent | BaseChatMessage) -> None:
        """Write one message or event."""
        if isinstance(item, ModelClientStreamingChunkEvent):
            self._show_chunk(item)
            return
        if isinstance(item, SelectSpeakerEvent) and not item.content and item.models_usage is not None:
            self._totals.count(item)  # the event has nothing else
            return
        if not self._streamed.is_whole(item):
            self._end_line()
            self._write_message(f"{type(item).__name__} ({item.source})", item)
        self._end_line()
        self._count(item)

    def end(self, result: TaskResult | Response) -> None:
        """Write the answer of a single agent, and the summary if it is wanted."""
        self._end_line()
        lines: list[str]
        if isinstance(result, Response):
            self._write_message(result.chat_message.source, result.chat_message)
            self._count(result.chat_message)
            lines = [f"Number of inner messages: {len(result.inner_messages or ())}"]
        else:
            self._totals.add(result.silent_usage)
            lines = [f"Number of messages: {len(result.messages)}", f"Finish reason: {result.stop_reason}"]
        if self._stats:
            self._write_summary(lines)

    def _show_chunk(self, chunk: ModelClientStreamingChunkEvent) -> None:
        if not self._streamed.has(chunk):
            self._end_line()
            self._write_header(f"{type(chunk).__name__} ({chunk.source})")
        self._streamed.add(chunk)
        _write(chunk.content)

    def _end_line(self) -> None:
        if self._streamed.end():
            _write("\n")

    def _write_header(self, text: str) -> None:
        _write(f"---------- {text} ----------\n")

    def _write_message(self, header: str, message: BaseAgentEvent | BaseChatMessage) -> None:
        self._write_header(header)
        if isinstance(message, MultiModalMessage):
            for part in message.content:
                self._write_part(part)
        else:
            _write(f"{message.to_text()}\n")

    def _write_part(self, part: str | Image) -> None:
        shown = inline_image(part) if isinstance(part, Image) and self._inline_images else None
        if shown is not None:
            _write_unchanged(f"{shown}\n")
        else:
            _write(f"{part}\n" if isinstance(part, str) else "<image>\n")

    def _count(self, item: BaseAgentEvent | BaseChatMessage) -> None:
        self._totals.count(item)
        usage = item.models_usage
        if usage is not None and self._stats:
            _write(f"[Prompt tokens: {usage.prompt_tokens}, Completion tokens: {usage.completion_tokens}]\n")

    def _write_summary(self, lines: list[str]) -> None:
        self._write_header("Summary")
        lines = [
            *lines,
            f"Total prompt tokens: {self._totals.usage.prompt_tokens}",
            f"Total completion tokens: {self._totals.usage.completion_tokens}",
            f"Duration: {self._totals.elapsed:.2f} seconds",
            self._totals.line(),
        ]
        _write("\n".join(lines) + "\n")


def _write(text: str) -> None:
    """Write what a model, a tool or a program said: control characters in it are shown and not obeyed."""
    _write_unchanged(printable(text))


def _write_unchanged(text: str) -> None:
    write_text(sys.stdout, text)
    sys.stdout.flush()
