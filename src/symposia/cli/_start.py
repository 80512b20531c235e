"""The start of the `symposia` process, and the effect of Ctrl-C: exit status 130 and one line, at any moment.

`KeyboardInterrupt` alone cannot do this: while modules are imported, it passes through any of their code, and the
import system's callbacks swallow it. So the handler that `main` installs ends the process itself. Only blocks with
something to stop (a sandbox, a model call) run under Python's own handler.

Before `main` runs, Ctrl-C is Python's to handle. This module therefore imports little, and typer only in `main`.
"""

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress

INTERRUPTED = 130
"""128 and the number of SIGINT, as shells report a program that ended by it."""


def main() -> None:
    """Run the command line that the process was started with."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # it is ignored in a shell's background jobs
        signal.signal(signal.SIGINT, _exit_at_once)
    from symposia.cli._app import run_command_line  # noqa: PLC0415 - see the top

    run_command_line()


@contextmanager
def keyboard_interrupts() -> Generator[None]:
    """Let Ctrl-C raise `KeyboardInterrupt` in this block, as in any other program."""
    if signal.getsignal(signal.SIGINT) is not _exit_at_once:  # called by a program that handles Ctrl-C itself
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, _exit_at_once)


def _exit_at_once(_number: int, _frame: object) -> None:
    with suppress(OSError):  # standard error may be closed
        os.write(2, b"Interrupted.\n")  # and not print: a handler may run in the middle of another write
    os._exit(INTERRUPTED)
