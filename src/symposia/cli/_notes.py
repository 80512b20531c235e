"""The notes of the command: warnings, and what the library logs as one, each a yellow line on standard error."""

from __future__ import annotations

import logging
import warnings

import typer


def note(text: str) -> None:
    """Show a note: one yellow line on standard error."""
    typer.secho(f"Note: {text}", fg=typer.colors.YELLOW, err=True)


def show_warnings_as_notes() -> None:
    """Show the warnings of Python, and those of the library's log, as notes without their place in the code."""
    warnings.showwarning = _show_warning
    logging.getLogger("symposia").addHandler(_NoteHandler())


def _show_warning(message: Warning | str, *_where: object) -> None:
    # Some warnings advise a program's author; `UnknownModelWarning` has words without that, which fit a command too.
    note(str(getattr(message, "assumption", message)))


class _NoteHandler(logging.Handler):
    """Shows what the library logs as a warning as a note: each text once, since a run may have many such answers."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._shown: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if text not in self._shown:
            self._shown.add(text)
            from symposia.core.terminal_text import printable  # noqa: PLC0415 - few commands have notes

            note(printable(text))
