"""The interpreters of Python blocks: forked from the server ahead of their blocks, with libraries already imported.

A fresh interpreter takes some ten milliseconds to start, and half a second more to import pandas. The server imports
the libraries once, while it has nothing else to do, and forks: the child shares their memory and starts as clean as the
server is. It is forked ahead of the request and waits for its block at a pipe, because a fork of a process with pandas
takes a few milliseconds itself.

- A child is used for one block. Nothing that a block does to its interpreter (patched builtins, changed modules,
  limits, threads) can reach the server or the next block, which have memory of their own.
- The server has one thread: a fork copies only the thread that calls it, and a lock that another one held would stay
  locked in the child. A library that starts threads when it is imported ends the server, with its name in the message.
- No block runs while an interpreter waits: the server forks it when everything of the block before is dead.

In a stateful sandbox, a `Session` takes their place.

Rejected: a process beside the server to fork from, which would free the server from the import. It would have to be
spared by the kill that ends a block, and it could be killed, stopped and signalled by every block, which PID 1 cannot.
"""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH102, PTH106

from __future__ import annotations

import gc
import importlib
import importlib.util
import io
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, redirect_stdout, suppress
from typing import NamedTuple, NoReturn

from ._channel import Settings
from ._confinement import limit_open_files, prefer_for_oom_kill
from ._folders import empty_folder
from ._huge_pages import Area, collapse, private_areas
from ._processes import Processes, Report, Started, become_child, resident_bytes
from ._script import run_script

FIRST_FD = 3
"""The number of the first descriptor of an interpreter that leads to the server."""

_SHARE_OF_MEMORY = 16  # that a block may have had whose end is not waited for: 32 MiB by default
_HOMES = ("HOME", "TMPDIR", "MPLCONFIGDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")


class _Waiting(NamedTuple):
    """An interpreter that waits for its block: the process, and where its block is written to."""

    process: Started
    source: int


class Interpreters:
    """Gives each Python block an interpreter of its own.

    Args:
        settings: Where the blocks run, and what is imported ahead.
        processes: All processes, which are ended before an interpreter is made.
    """

    def __init__(self, settings: Settings, processes: Processes) -> None:
        self._processes = processes
        self._folder = settings.work_folder
        self._scratch = settings.scratch_folders[0]
        self._open_files = settings.open_files
        self._most_taken_down = settings.memory_bytes // _SHARE_OF_MEMORY
        self._most_open_files = settings.server_open_files
        self._to_import = list(settings.imported_ahead)
        self._to_collapse: list[Area] = []
        # By the program's own list: to look at all names of `sys.modules` would write to their reference counts, and so
        # copy megabytes from the process that this one was forked from.
        shipped: Iterable[str] = getattr(sys.modules["__main__"], "SOURCES")  # noqa: B009 - type checkers do not know it
        self._own_modules = [name for name in shipped if name in sys.modules]
        self._waiting: _Waiting | None = None

    @property
    def is_ready(self) -> bool:
        """Whether everything is imported, and its memory is in huge pages."""
        return not self._to_import and not self._to_collapse

    def import_named_in(self, source: bytes) -> None:
        """Import those of the libraries that a block names: the next block is likely to use them too.

        Raises:
            RuntimeError: A library has started threads.
        """
        for name in list(self._to_import):
            if name.partition(".")[0].encode() in source:
                self.discard()
                self.import_next(name)

    def improve(self) -> None:
        """Take the next step of the preparation that `is_ready` is the end of. It takes up to a second.

        Raises:
            RuntimeError: A library has started threads.
        """
        if self._to_import:
            self.import_next()
        else:
            self.discard()  # it shares the memory as it is
            collapse(self._to_collapse.pop())

    def import_next(self, name: str | None = None) -> None:
        """Import one of the libraries, by default the next, where it is installed. It takes up to a second.

        Raises:
            RuntimeError: The library has started threads.
        """
        name = name or self._to_import[0]
        self._to_import.remove(name)
        import_library(name, self._scratch)
        if not self._to_import:
            self.discard()
            gc.collect()
            self._to_collapse = private_areas()

    def prepare(self) -> bool:
        """Wait until nothing is left of the last block, and have an interpreter wait for the next one.

        Returns:
            Whether the server has forked.
        """
        if self._waiting is not None:
            return False
        self._processes.stop_all(self._most_taken_down)
        self._waiting = self._fork()
        return True

    def start(self, source: bytes, path: str) -> Started:
        """Run a block.

        Args:
            source: Its source.
            path: The path that it gives itself.
        """
        block = path.encode() + b"\0" + source
        self._processes.wait_until_gone()
        while True:
            waiting, self._waiting = self._waiting or self._fork(), None
            try:
                with open(waiting.source, "wb") as pipe:  # noqa: PTH123 - a descriptor
                    pipe.write(block)
            except BrokenPipeError:  # it was killed as it waited: the sandbox was short of memory
                _discard(waiting)
            else:
                return waiting.process

    def end_block(self) -> None:
        """End everything that there is of a block."""
        self._processes.kill_all()

    def end_reported(self, report: Report) -> bool:
        """End a block whose interpreter is at its end; see `Processes.end_reported`."""
        return self._processes.end_reported(report)

    def take_changes(self) -> list[str]:
        """What has become of variables since this was called last. Here there are none that live on."""
        return []

    def make_way(self) -> None:
        """Prepare for a block in another language.

        The interpreter would be killed at the end of that block, and counts for its limits until then.
        """
        self.discard()
        self._processes.wait_until_gone()

    def discard(self) -> None:
        """End the interpreter that waits, if there is one."""
        if self._waiting is not None:
            _discard(self._waiting)
            self._waiting = None

    def _fork(self) -> _Waiting:
        source_of_block, source = os.pipe()
        stdout, stdout_of_block = os.pipe()
        stderr, stderr_of_block = os.pipe()
        report, report_of_block = os.pipe()
        before_fork()
        pid = os.fork()
        if pid == 0:
            kept = (source_of_block, report_of_block)
            self._become_interpreter(kept, stdout_of_block, stderr_of_block, run_script)
        for fd in (source_of_block, report_of_block, stdout_of_block, stderr_of_block):
            os.close(fd)
        return _Waiting(Started(pid, stdout, stderr, report, resident_bytes(pid)), source)

    def _become_interpreter(
        self, kept: tuple[int, ...], stdout: int, stderr: int, run: Callable[..., NoReturn]
    ) -> NoReturn:
        """Make this forked process an interpreter.

        Args:
            kept: Descriptors that lead to the server. They get the numbers from `FIRST_FD` on.
            stdout: Where its output goes.
            stderr: As above.
            run: Called with the work folder, the names of the server's modules, and the numbers of `kept`.
        """
        try:
            become_child(self._folder, stdout, stderr)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            numbers = range(FIRST_FD, FIRST_FD + len(kept))
            above = [os.dup(fd) for fd in kept]  # above the numbers that they are to have
            for fd, number in zip(above, numbers):  # noqa: B905 - Python 3.8 has no strict
                os.dup2(fd, number, inheritable=False)
            os.closerange(numbers.stop, self._most_open_files)  # the channel to the host first of all
            prefer_for_oom_kill()
            limit_open_files(self._open_files)
            run(self._folder, self._own_modules, *numbers)
        except BaseException as error:  # noqa: BLE001 - whatever it is, this process must not go on as a second server
            os.write(2, f"cannot run the block: {type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(1)


def import_library(name: str, scratch: str) -> None:
    """Import a library where it is installed.

    Args:
        name: Of the library.
        scratch: A folder in which it is given an empty home.

    Raises:
        RuntimeError: The library has started threads.
    """
    # What cannot be imported here fails in the block that imports it, with the same error.
    # What it prints is thrown away: from a buffer of the server it would be printed by each block.
    with _nothing_of_the_blocks(scratch), redirect_stdout(io.StringIO()), suppress(Exception, SystemExit):
        if importlib.util.find_spec(name.partition(".")[0]) is not None:
            importlib.import_module(name)
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208 - pathlib would be the largest part of the program
        raise RuntimeError(f"{name} starts threads when it is imported: it cannot be imported ahead of a block")


def before_fork() -> None:
    """Prepare the fork of an interpreter from the server."""
    # Random numbers of its own, as `random` does itself at each fork. Not in the interpreter, which would first have
    # to fetch numpy's code into its page table.
    random = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()
    # Out of the collector's sight: it would write to the header of every object, and so copy every page that the
    # child shares with the server.
    gc.freeze()


@contextmanager
def _nothing_of_the_blocks(scratch: str) -> Generator[None, None, None]:
    """Show libraries that are imported an empty home. They read settings and caches there, which a block may have left.

    What a block wrote would become part of every later one, and it could hold the server up: a FIFO in the place of a
    file of settings, or a link to an endless device.

    Args:
        scratch: Where the home is made.
    """
    home = f"{scratch}/.{os.urandom(8).hex()}"
    with suppress(OSError):  # no room: then it does not exist, which is as good
        os.mkdir(home, 0o700)
    before = {name: os.environ.get(name) for name in _HOMES}
    os.environ.update(dict.fromkeys(_HOMES, home))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        tempfile = sys.modules.get("tempfile")
        if tempfile is not None:  # it keeps the folder that it has found, if it was asked meanwhile
            setattr(tempfile, "tempdir", None)  # noqa: B010 - type checkers do not know it
        with suppress(OSError):
            empty_folder(home)
            os.rmdir(home)


def _discard(waiting: _Waiting) -> None:
    with suppress(OSError):
        os.close(waiting.source)
    for fd in (waiting.process.stdout, waiting.process.stderr, waiting.process.report):
        os.close(fd)
    os.kill(waiting.process.pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(waiting.process.pid, 0)
