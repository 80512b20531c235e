"""The stream of a run on a terminal, drawn by rich: headings in colour, code in colours, typed events."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterable, Sequence
from typing import TextIO, TypeVar, cast

from rich.console import Console, Group, RenderableType
from rich.json import JSON
from rich.text import Text

from symposia.agentchat.base import Response, TaskResult
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    MultiModalMessage,
    SelectSpeakerEvent,
    StructuredMessage,
    ThoughtEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from symposia.agentchat.ui import (
    Prices,
    StreamedMessage,
    StreamTotals,
    UserInputManager,
    inline_image,
    print_stream,
    write_text,
)
from symposia.core import Image
from symposia.core.models import FunctionExecutionResult
from symposia.core.terminal_text import printable
from symposia.ext.ui._blocks import Palette, heading, indented, markdown_block
from symposia.ext.ui._text import LONGEST_DRAWN, shortened

T = TypeVar("T", bound=TaskResult | Response)


async def RichConsole(  # noqa: N802 - AutoGen's name
    stream: AsyncIterable[BaseAgentEvent | BaseChatMessage | T],
    *,
    no_inline_images: bool = False,
    output_stats: bool = False,
    user_input_manager: UserInputManager | None = None,
    prices: Prices | None = None,
) -> T:
    """Draw messages and events as they come, and return the result.

    Of a message of more than 20,000 characters, the middle is left out.

    The last line has the turns, the tokens, the money where `prices` are given, and the time.

    Args:
        stream: The stream of `run_stream` of a team or an agent, or of `on_messages_stream` of an agent.
        no_inline_images: Print ``<image>`` also where the terminal can show images.
        output_stats: Print the tokens of each message too.
        user_input_manager: Notified when the request for a person's input is reached.
        prices: The price of tokens, in place of the models' own: for all agents, or by their names.

    Returns:
        The last `TaskResult` or `Response` of the stream.

    Raises:
        ArgumentTypeError: `stream` is no asynchronous iterable, or `user_input_manager` no manager.
        InvalidArgumentError: `stream` ended without a `TaskResult` or a `Response`.
    """
    console = Console(file=cast("TextIO", _AnyText(sys.stdout)), highlight=False)
    printer = _Printer(console, StreamTotals(prices), images=not no_inline_images, stats=output_stats)
    return await print_stream(stream, printer, user_input_manager)


class _AnyText:
    """A file that takes text that its encoding lacks; see `write_text`."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        write_text(self._file, text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


class _Printer:
    """Draws messages, and the chunks of a streamed one as they come.

    Chunks are appended, in the place of the whole message. Rejected: a live region below the messages, which would
    draw over the input of a person that is read in between.
    """

    def __init__(self, console: Console, totals: StreamTotals, *, images: bool, stats: bool) -> None:
        self._console = console
        self._totals = totals
        self._images = images
        self._stats = stats
        self._palette = Palette()
        self._streamed = StreamedMessage()

    def show(self, item: BaseAgentEvent | BaseChatMessage) -> None:
        """Draw one message or event."""
        if isinstance(item, ModelClientStreamingChunkEvent):
            self._show_chunk(item)
            return
        is_shown = self._streamed.is_whole(item)
        self._end_stream()
        if not (is_shown or _has_only_usage(item)):
            self._show(item, _what(item))
        self._totals.count(item)
        if self._stats and item.models_usage is not None:
            usage = item.models_usage
            line = f"{usage.prompt_tokens:,} prompt and {usage.completion_tokens:,} completion tokens"
            self._console.print(indented(Text(line, "dim")))

    def end(self, result: TaskResult | Response) -> None:
        """Draw the answer of a single agent, why the run stopped, and the totals."""
        self._end_stream()
        parts: list[str] = []
        if isinstance(result, Response):
            self._show(result.chat_message, "")
            self._totals.count(result.chat_message)
        else:
            self._totals.add(result.silent_usage)
            parts += [result.stop_reason] if result.stop_reason else []
        self._console.print(Text(" · ".join([*map(printable, parts), self._totals.line()]), "bold"), soft_wrap=True)

    def _show(self, item: BaseAgentEvent | BaseChatMessage, what: str) -> None:
        self._write_heading(item, what)
        if isinstance(item, MultiModalMessage):
            for part in item.content:
                self._show_part(part)
        else:
            self._console.print(indented(_body(item)))

    def _show_part(self, part: str | Image) -> None:
        escapes = inline_image(part) if isinstance(part, Image) and self._images else None
        if escapes is not None:
            self._console.file.write(f"{escapes}\n")  # rich would count the escape sequence as text, and wrap it
        else:
            self._console.print(indented(markdown_block(part) if isinstance(part, str) else Text("<image>", "dim")))

    def _show_chunk(self, chunk: ModelClientStreamingChunkEvent) -> None:
        if not self._streamed.has(chunk):
            self._end_stream()
            self._write_heading(chunk, "writes")
        self._streamed.add(chunk)
        # Chunks have no style. Rich would take a quarter of a millisecond for each.
        self._console.file.write(printable(chunk.content))
        self._console.file.flush()

    def _end_stream(self) -> None:
        if self._streamed.end():
            self._console.print()

    def _write_heading(self, item: BaseAgentEvent | BaseChatMessage, what: str) -> None:
        source = printable(item.source)
        self._console.print(heading(source, self._palette.colour(source), self._totals.elapsed, what))


def _has_only_usage(item: BaseAgentEvent | BaseChatMessage) -> bool:
    """Whether an event has only tokens: a rule asked a model without a choice."""
    return isinstance(item, SelectSpeakerEvent) and not item.content


def _what(item: BaseAgentEvent | BaseChatMessage) -> str:
    """The verb in the heading of an item."""
    match item:
        case ToolCallRequestEvent():
            return "calls"
        case ToolCallExecutionEvent():
            return "gets"
        case ThoughtEvent():
            return "thinks"
        case SelectSpeakerEvent():
            return "selects"
        case BaseChatMessage():
            return ""
        case _:
            return type(item).__name__


def _body(item: BaseAgentEvent | BaseChatMessage) -> RenderableType:
    match item:
        case ToolCallRequestEvent():
            return Text("\n".join(printable(shortened(f"{call.name}({call.arguments})")) for call in item.content))
        case ToolCallExecutionEvent():
            return _results(item.content)
        case ThoughtEvent():
            return Text(printable(shortened(item.content)), "dim italic")
        case StructuredMessage():
            text = json.dumps(item.content.model_dump(mode="json"), ensure_ascii=False)
            return JSON(printable(text)) if len(text) <= LONGEST_DRAWN else Text(printable(shortened(text)))
        case BaseChatMessage():
            return markdown_block(item.to_text())
        case _:
            return Text(printable(shortened(item.to_text())), "dim")


def _results(results: Sequence[FunctionExecutionResult]) -> RenderableType:
    return Group(*(Text(printable(shortened(each.content)), "red" if each.is_error else "green") for each in results))
