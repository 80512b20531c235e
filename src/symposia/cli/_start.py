"""The start of the `symposia` process, and the effect of Ctrl-C: exit status 130 and one line.

`KeyboardInterrupt` alone cannot do this: while modules are imported, it passes through any of their code, and the
import system's callbacks swallow it. So the handler that `main` installs ends the process itself. Only blocks with
something to stop (a sandbox, a model call) run under Python's own handler.

Before `main` runs, Python handles Ctrl-C and shows a traceback. To keep that time short, this module and its package
import two modules of the standard library, and `main` imports the rest.
"""

from __future__ import annotations

import os
import signal

INTERRUPTED = 130
"""128 and the number of SIGINT, as shells report a program that ended by it."""


def main() -> None:
    """Run the command line that the process was started with."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # it is ignored in a shell's background jobs
        signal.signal(signal.SIGINT, exit_at_once)
    from symposia.cli._app import run_command_line  # noqa: PLC0415 - after the handler is set

    run_command_line()


def exit_at_once(_number: int, _frame: object) -> None:
    """End the process with one line: a handler of SIGINT."""
    try:
        os.write(2, b"Interrupted.\n")  # and not print: a handler may run in the middle of another write
    finally:  # also where standard error is closed
        os._exit(INTERRUPTED)
