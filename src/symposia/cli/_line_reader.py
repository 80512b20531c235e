"""The lines of people in a conversation: from a list or from standard input."""

from __future__ import annotations

import io
import sys
from collections import deque
from collections.abc import Sequence
from typing import BinaryIO, cast

from symposia.cli._conversation_view import ConversationView
from symposia.core import run_in_worker_thread


class LineReader:
    """Reads the lines of people from a list or from standard input.

    Args:
        view: Shows the prompts, and the lines of a list.
        lines: The lines; None for standard input.
    """

    def __init__(self, view: ConversationView, lines: Sequence[str] | None) -> None:
        self._view = view
        self._lines = None if lines is None else deque(lines)
        if lines is None and isinstance(stdin := sys.stdin, io.TextIOWrapper):
            # A byte that is no text ends no conversation.
            cast("io.TextIOWrapper[BinaryIO]", stdin).reconfigure(errors="replace")

    @property
    def is_typed(self) -> bool:
        """Whether a person types the lines on a terminal."""
        return self._lines is None and bool(sys.stdin) and sys.stdin.isatty()

    async def read(self, who: str) -> str | None:
        """Prompt the person `who`, and return the next line; None at the end."""
        self._view.ask(who)
        if self._lines is not None:
            line = self._lines.popleft() if self._lines else None
        elif not sys.stdin:  # None, if it was closed before the process began
            line = None
        else:
            read = await run_in_worker_thread(sys.stdin.readline)
            line = read.rstrip("\r\n") if read else None
        self._view.answered(line, is_typed=self.is_typed)
        return line
