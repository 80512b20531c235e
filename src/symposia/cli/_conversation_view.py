"""A conversation in a terminal: the words of an agent as they come, handovers and tools in a line each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TextIO

from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    MemoryQueryEvent,
    ModelClientStreamingChunkEvent,
    TextMessage,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from symposia.agentchat.ui import StreamedMessage
from symposia.core.models import RequestUsage
from symposia.core.terminal_text import printable

HANDOFF: Final = "transfer_to_"
"""The beginning of the names of the tools that hand over."""


class ConversationView:
    """Writes a conversation: the words of an agent as they come, handovers and tools in a line each.

    Args:
        out: The stream to write to.

    Attributes:
        usage: What the messages took until now.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._streamed = StreamedMessage()
        self._prompt = ""
        self.usage = RequestUsage(0, 0)

    def note(self, text: str) -> None:
        """Write a line about the conversation."""
        self._write(f"{printable(text)}\n")

    def ask(self, who: str) -> None:
        """Ask a person for a line."""
        self.end()
        self._prompt = f"{printable(who)}> "
        self._write(self._prompt)

    def answered(self, line: str | None, *, is_typed: bool) -> None:
        """Note the line of the person, and write it unless it was typed on the terminal, which shows it."""
        self._prompt = ""
        if line is None or not is_typed:
            self._write(f"{printable(line or '')}\n")

    def end(self) -> None:
        """End the line of a message that streams in."""
        if self._streamed.end():
            self._write("\n")

    def show(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        """Write a message, an event, or a piece of a streamed message, and count its tokens."""
        if message.models_usage is not None:
            self.usage += message.models_usage
        match message:
            case ModelClientStreamingChunkEvent():
                if not self._streamed.has(message):
                    self.end()
                    self._write(f"{message.source}: ")
                self._streamed.add(message)
                self._write(printable(message.content))
            case TextMessage() if self._streamed.is_whole(message):
                self.end()
            case _:
                for line in _lines(message):
                    self._write_line(line)

    def _write_line(self, line: str) -> None:
        """Write a line. If a person is being prompted, such as by a tool, repeat the prompt below it."""
        self.end()
        above = "\n" if self._prompt else ""
        self._write(f"{above}{printable(line)}\n{self._prompt}")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def _lines(message: BaseAgentEvent | BaseChatMessage) -> Iterable[str]:
    """The lines of a message or an event. Handoff tools are left out: the handoff itself is shown."""
    match message:
        case HandoffMessage():
            yield f"[{message.source} hands over to {message.target}]"
        case ToolCallRequestEvent():
            for call in message.content:
                if not call.name.startswith(HANDOFF):
                    yield f"[{message.source} calls {call.name}({call.arguments})]"
        case ToolCallExecutionEvent():
            for result in message.content:
                if result.is_error or not result.name.startswith(HANDOFF):
                    yield f"[{result.name}: {result.content}]"
        case MemoryQueryEvent():
            yield from _sources(message)
        case TextMessage():
            yield f"{message.source}: {message.content}"
        case _:
            pass


def _sources(message: MemoryQueryEvent) -> Iterable[str]:
    """The line with the places of the documents that a memory found."""
    places = [each.metadata or {} for each in message.content]
    if found := [f"{place['source']}, {place['place']}" for place in places if {"source", "place"} <= place.keys()]:
        yield f"[{message.source} reads {'; '.join(found)}]"
