"""Consoles that show a run on a terminal, the parts of custom ones, and questions to a person in a browser."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.agentchat.ui._console import Console
from symposia.agentchat.ui._images import inline_image
from symposia.agentchat.ui._open_questions import OpenQuestions
from symposia.agentchat.ui._stream import (
    Prices,
    StreamedMessage,
    StreamPrinter,
    StreamTotals,
    print_stream,
    write_text,
)
from symposia.agentchat.ui._user_input_manager import UserInputManager

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = [
    "Console",
    "OpenQuestions",
    "Prices",
    "StreamPrinter",
    "StreamTotals",
    "StreamedMessage",
    "UserInputManager",
    "inline_image",
    "print_stream",
    "write_text",
]
