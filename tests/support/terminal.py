"""A program on a terminal of its own: what it draws can be read, and keys can be pressed."""

import asyncio
import fcntl
import os
import struct
import sys
import termios
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

CTRL_C = b"\x03"
SIZE_VARIABLES = ("COLUMNS", "LINES")
"""Programs prefer these to the terminal's size; importing ``readline`` sets them in the tests' own process."""


class Terminal:
    """A pseudo-terminal with a program on it.

    Attributes:
        drawn: Everything that it has written so far, control codes included.
    """

    def __init__(self, process: asyncio.subprocess.Process, keyboard: int) -> None:
        self.drawn = ""
        self._process = process
        self._keyboard = keyboard
        self._more = asyncio.Event()
        self._ended = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def press(self, keys: bytes) -> None:
        os.write(self._keyboard, keys)

    async def wait_until_drawn(self, text: str) -> None:
        while text not in self.drawn:
            assert not self._ended, f"{text!r} was never drawn:\n{self.drawn}"
            self._more.clear()
            await self._more.wait()

    async def wait_until_ended(self) -> int:
        """The exit status, once everything that was drawn has been read."""
        while not self._ended:
            self._more.clear()
            await self._more.wait()
        return await self._process.wait()

    def take(self) -> None:
        """Read what there is."""
        try:
            data = os.read(self._keyboard, 65_536)
        except OSError:  # EIO: the program has closed its side
            data = b""
        self.drawn += data.decode("utf-8", "replace")
        self._ended = self._ended or not data
        self._more.set()


def _own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@asynccontextmanager
async def on_terminal(
    *command: str, environment: Mapping[str, str] | None = None, columns: int = 100, rows: int = 40
) -> AsyncGenerator[Terminal]:
    """Run a program on a terminal; it is killed at the end if it still runs."""
    here, there = os.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    inherited = {name: value for name, value in os.environ.items() if name not in SIZE_VARIABLES}
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=there,
        stdout=there,
        stderr=there,
        env={**inherited, "TERM": "xterm-256color", **(environment or {})},
        start_new_session=True,
        preexec_fn=_own_terminal,
    )
    os.close(there)
    terminal = Terminal(process, here)
    loop = asyncio.get_running_loop()

    def readable() -> None:
        terminal.take()
        if terminal._ended:  # noqa: SLF001 - this module's own
            loop.remove_reader(here)

    loop.add_reader(here, readable)
    try:
        yield terminal
    finally:
        loop.remove_reader(here)
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(here)


def symposia(*arguments: str) -> tuple[str, ...]:
    """The command line of the real program."""
    return (sys.executable, "-c", "from symposia.cli import main; main()", *arguments)
