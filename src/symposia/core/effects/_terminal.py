"""Questions on the terminal: one at a time, and a line that is typed answers the question that is shown.

A thread that reads a line cannot be stopped. With a thread for each question, the line after a cancelled question would
be lost, and the questions of two agents would mix. So one thread reads for all. A question that is asked while the
thread still reads for a cancelled one takes over that read.
"""

from __future__ import annotations

import asyncio
import builtins
import os
import sys
import threading
from collections import deque
from concurrent.futures import Future
from typing import Final, NamedTuple

from symposia.core._worker_threads import worker_threads
from symposia.core.terminal_text import printable, replace_unencodable

BUILTIN_INPUT: Final = builtins.input
"""Python's own function, also where a test has put another one into its place."""

APPROVAL_HINT: Final = "\nApprove? [y, or the reason why not] "


async def ask_on_terminal(question: str) -> str:
    """Ask on standard input and output, as `input` does, and return the line.

    Questions wait for each other. A line that was typed for a question that was cancelled answers no later one. On a
    terminal, nothing that was typed before a question for an approval was shown answers it. Such a question ends with a
    hint on how to answer. The control characters of a question are shown and not obeyed. What the terminal cannot
    encode is a question mark.

    Raises:
        EOFError: The input ended.
    """
    is_approval = getattr(question, "approval_of", None) is not None
    prompt = printable(question) + (APPROVAL_HINT if is_approval else "")
    if encoding := getattr(sys.stdout, "encoding", None):  # a closed one, or one in memory, has none
        prompt = replace_unencodable(prompt, encoding)
    pending = _PendingQuestion(prompt, is_approval, Future())
    _current_reader().ask(pending)
    return await asyncio.wrap_future(pending.line)


class _PendingQuestion(NamedTuple):
    prompt: str
    is_approval: bool
    line: Future[str]


class _TerminalReader:
    """Reads a line for one question after another, in a worker thread that runs while there are any."""

    def __init__(self) -> None:
        self._input = builtins.input
        self._stdin = sys.stdin
        self._process = os.getpid()
        # Reentrant: a cancellation, whose callback takes the lock, may come from a signal handler while it is held.
        self._lock = threading.RLock()
        self._waiting: deque[_PendingQuestion] = deque()
        self._shown: Future[str] | None = None  # the line of the question that is on the terminal
        self._has_thread = False
        self._is_reading = False  # the thread waits for a line

    def reads_current_input(self) -> bool:
        """Whether standard input is still that of this reader: tests replace it, and a fork lacks its thread."""
        return self._input is builtins.input and self._stdin is sys.stdin and self._process == os.getpid()

    def ask(self, question: _PendingQuestion) -> None:
        """Put a question into the queue. Its line may be cancelled."""
        with self._lock:
            self._waiting.append(question)
            if not self._has_thread:
                self._has_thread = True
                worker_threads.submit(self._read_lines)
            elif self._is_reading and self._shown is None:
                self._take_over()
        question.line.add_done_callback(self._on_done)

    def _on_done(self, line: Future[str]) -> None:
        with self._lock:
            if line is self._shown and line.cancelled():
                self._take_over()

    def _take_over(self) -> None:
        """Show the next question, whose line the thread waits for already."""
        prompt = self._next()
        if prompt is not None:
            sys.stdout.write(f"\n{prompt}")
            sys.stdout.flush()

    def _next(self) -> str | None:
        """The prompt of the next question, which is the shown one from now on; None if there is none."""
        self._shown = None
        while self._waiting:
            question = self._waiting.popleft()
            if not question.line.cancelled():
                self._shown = question.line
                if question.is_approval:
                    _discard_typed()
                return question.prompt
        return None

    def _read_lines(self) -> None:
        """Read a line for each question, until none is left."""
        while True:
            with self._lock:
                prompt = self._next()
                self._has_thread = self._is_reading = prompt is not None
            if prompt is None:
                return
            try:
                line = self._input(prompt)
            except BaseException as error:  # noqa: BLE001 - raised again where the answer is awaited
                if (future := self._answered()) is not None:
                    future.set_exception(error)
            else:
                if (future := self._answered()) is not None:
                    future.set_result(line)

    def _answered(self) -> Future[str] | None:
        """The question that the line which was just read answers, if any. It cannot be cancelled any more."""
        with self._lock:
            future, self._shown, self._is_reading = self._shown, None, False
            return future if future is not None and future.set_running_or_notify_cancel() else None


def _discard_typed() -> None:
    """Discard what was typed on a terminal and not read yet, so that a key pressed too often approves nothing."""
    if sys.stdin is None or not sys.stdin.isatty():  # pyright: ignore[reportUnnecessaryComparison] - None if it is closed
        return
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - of this system

        while msvcrt.kbhit():
            msvcrt.getwch()
    else:
        import termios  # noqa: PLC0415 - of this system

        termios.tcflush(sys.stdin, termios.TCIFLUSH)


_reader: _TerminalReader | None = None


def _current_reader() -> _TerminalReader:
    global _reader  # noqa: PLW0603 - a process has one standard input
    if _reader is None or not _reader.reads_current_input():
        _reader = _TerminalReader()
    return _reader
