"""`symposia mock-server`: the scripted model server in a terminal, with a line for each request and a summary."""

from __future__ import annotations

import asyncio
import shlex
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from symposia.cli._exit import Status, fail, status_of_error
from symposia.core.exceptions import InvalidArgumentError, SymposiaError
from symposia.core.terminal_text import printable

if TYPE_CHECKING:  # it needs an optional dependency
    from symposia.testing.model_server import RecordedRequest

SHOWN_PROBLEMS = 100
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def serve_and_show(script: Path, *, host: str, port: int, strict: bool) -> None:
    """Serve until Ctrl-C, or until the process is asked to end.

    Raises:
        typer.Exit: With a status other than 0, if the server could not start or a request had no answer.
    """
    try:
        answered = asyncio.run(_serve(script, host=host, port=port, strict=strict))
    except InvalidArgumentError as error:
        fail(str(error), Status.USAGE)
    except SymposiaError as error:
        fail(str(error), status_of_error(error))
    except (OSError, OverflowError) as error:
        fail(
            f"The server cannot listen on {host}, port {port}: {error}. Take others with --host and --port.",
            Status.USAGE,
        )
    if not answered:
        raise typer.Exit(Status.FAILED)


async def _serve(script: Path, *, host: str, port: int, strict: bool) -> bool:
    """Serve. Returns whether all requests were answered."""
    from symposia.testing.model_server import MockModelServer  # noqa: PLC0415 - an optional dependency

    stopped = asyncio.Event()
    received = 0

    def show(request: RecordedRequest) -> None:
        nonlocal received
        received += 1
        server.requests.clear()  # a server that runs for days would keep every conversation
        asked = request.conversation
        what = request.path if asked is None else f"{request.vendor} {asked.model}, turn {asked.turn}"
        _say(f"{what}: {request.answered_by}")
        show_problems()

    shown: set[str] = set()
    looked_at = 0

    def show_problems() -> None:
        nonlocal looked_at
        new, looked_at = server.problems[looked_at:], len(server.problems)
        for problem in new:
            if problem not in shown and len(shown) < SHOWN_PROBLEMS:
                shown.add(problem)
                _say(problem)

    server = MockModelServer(script, host=host, port=port, strict=strict, keep_alive=True, on_request=show)
    with _ended_by_signals(stopped):
        async with server:
            _say(f"Serving {script} at {server.url} · Ctrl-C ends it")
            for name, value in server.environment.items():
                _say(f"export {name}={shlex.quote(value)}")
            if host not in LOOPBACK:
                _say(f"Other machines can reach {host}. The server requires no key.")
            await stopped.wait()
    _say(f"Requests: {received}, without an answer: {len(server.problems)}")
    show_problems()  # of requests that could not be read
    for name in server.unused_rules:
        _say(f"Rule {name!r} was not used.")
    return not server.problems


@contextmanager
def _ended_by_signals(stopped: asyncio.Event) -> Generator[None]:
    """Let Ctrl-C and SIGTERM end the server. Where Ctrl-C is ignored, as in a shell's background jobs, it stays so."""
    loop = asyncio.get_running_loop()

    def stop(_number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(stopped.set)

    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    taken = [each for each, handler in before.items() if handler is not signal.SIG_IGN]
    for each in taken:
        signal.signal(each, stop)
    try:
        yield
    finally:
        for each in taken:
            signal.signal(each, before[each] or signal.SIG_DFL)


def _say(text: str) -> None:
    typer.echo("\n".join(printable(line) for line in text.splitlines()))
