"""The zygotes of this process: sandboxes with the same libraries are forked from one that has imported them.

A program's first sandbox is launched: it answers in a fifth of a second, and imports its libraries when it has nothing
else to do. With the second, a zygote is started beside it (`_launcher._zygote`), and later ones are forked from that. A
program with one sandbox so has no second copy of the libraries, and none waits for an import.

There is one zygote for each Python with its packages, and each list of libraries. It belongs to the process rather than
to an event loop or a backend: it is reached by a socket that takes one message for each sandbox, and whatever follows
goes through the sandbox's own pipes. It ends with this process, however that ends, or after a minute without a sandbox.

A zygote that has failed before it was ready is not started again by this process: the kernel or a package does not
allow it. One that ended later was killed, or had nothing to do, and is.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import logging
import os
import select
import socket
import subprocess
import threading
import time
from asyncio.streams import StreamReaderProtocol
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple, Self

from typing_extensions import override

from symposia.core import uninterrupted
from symposia.core.exceptions import SandboxUnavailableError
from symposia.ext.code_executors._sandbox._program import bootstrap_arguments, launcher_program
from symposia.ext.code_executors._sandbox._transport import StreamTransport

logger = logging.getLogger(__name__)

_ANSWER_BYTES: Final = 4096
_START_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.5
_END_SECONDS: Final = 2.0
_STUCK_SECONDS: Final = 20.0
"""After which the keeper is taken for broken. It makes one sandbox after another, and may be waiting for the zygote."""
_LAUNCHED_BEFORE: Final = 1
"""Sandboxes that are launched before a zygote is started for the next ones."""


class ZygotePlan(NamedTuple):
    """What a zygote is started with; two that are equal can share one.

    Attributes:
        python: The command of the keeper's Python.
        mark: The last arguments of the keeper.
        request: See `_launcher._zygote.main`, but for the control socket.
        program: Of the zygote.
        packages: The state of the folders from which it imports: what is installed later is for another zygote.
    """

    python: tuple[str, ...]
    mark: tuple[str, ...]
    request: Mapping[str, object]
    program: bytes
    packages: tuple[tuple[int, ...], ...]

    @property
    def key(self) -> str:
        """Names it among the zygotes of a process."""
        return json.dumps([self.python, self.request, self.packages])


class _Zygote:
    """A zygote's keeper, seen from the host.

    Args:
        process: The keeper.
        control: Takes requests; gives ``ready``, or why it failed, once.
    """

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self.process = process
        self._control = control
        self.is_ready = False
        self.failure = ""
        control.setblocking(False)

    @classmethod
    def start(cls, plan: ZygotePlan) -> Self:
        """Start a keeper, which starts the zygote.

        Raises:
            OSError: It cannot be started.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            program = launcher_program("zygote", {**plan.request, "control": theirs.fileno()}) + plan.program
            process = subprocess.Popen(  # noqa: S603 - no shell, and no text of others
                [*plan.python, *bootstrap_arguments(program[: -len(plan.program)]), *plan.mark],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,
                pass_fds=[theirs.fileno()],
            )
        assert process.stdin is not None  # noqa: S101 - it was asked for
        with suppress(OSError), process.stdin:  # it has ended already, which `look` tells
            process.stdin.write(program)
        return cls(process, ours)

    def look(self) -> bool:
        """Take what the keeper has said, and return whether it still takes requests."""
        try:
            while answer := self._control.recv(_ANSWER_BYTES):
                if answer != b"ready":
                    self.failure = "" if self.is_ready else answer.decode(errors="replace").removeprefix("failed: ")
                    return False
                self.is_ready = True
        except BlockingIOError:
            return True
        except OSError:  # reset, as the keeper was killed with requests unread
            pass
        self.failure = "" if self.is_ready else "its process was killed"
        return False

    def wait_for_news(self, seconds: float) -> None:
        """Wait until there may be something for `look`. Blocks."""
        with suppress(OSError, ValueError):  # another thread has closed it
            select.select([self._control], [], [], seconds)

    def fork(self, request: bytes, streams: Sequence[int]) -> None:
        """Ask for a sandbox.

        Raises:
            OSError: It has ended, or does not take requests as fast as they come.
        """
        socket.send_fds(self._control, [request], streams)

    def leave(self) -> None:
        """In a process that was forked from this one's: leave it to that process, which it is to end with."""
        self._control.close()
        self.process.poll()  # it is no child of this process: its end is not waited for

    def close(self) -> None:
        """Have it end, as soon as its sandboxes have if its zygote is dead, else at once."""
        self._control.close()


@dataclass(slots=True)
class _Entry:
    """What is known of one kind of zygote.

    Attributes:
        launched: Sandboxes that were not forked.
        is_starting: Whether one is being started.
        zygote: The one that runs.
        failure: Why there never will be one.
    """

    launched: int = 0
    is_starting: bool = False
    zygote: _Zygote | None = None
    failure: str = ""


class Zygotes:
    """The zygotes of a process. All methods may be called in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._ended: list[_Zygote] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._leave)

    async def fork(self, plan: ZygotePlan, request: Mapping[str, object]) -> StreamTransport | None:
        """Fork a sandbox; None where no zygote is ready. One is then started, if it is time for that.

        Args:
            plan: Of the zygote.
            request: Of the sandbox: ``mounts``, ``memory_bytes``, ``cpus``, ``processes`` and ``loopback``.
        """
        zygote, is_due = self._choose(plan)
        if zygote is not None:
            return await _ForkedTransport.make(zygote, json.dumps(request).encode())
        if is_due:
            asyncio.get_running_loop().run_in_executor(None, self._start, plan)
        return None

    async def start(self, plan: ZygotePlan) -> None:
        """Start a zygote where there is none, and wait until it is ready.

        Raises:
            SandboxUnavailableError: It does not work here; the text has the reason.
        """
        deadline = time.monotonic() + _START_SECONDS
        while True:
            await asyncio.to_thread(self._start, plan)
            with self._lock:
                entry = self._entry(plan)
                zygote, failure = entry.zygote, entry.failure
            if zygote is not None and zygote.is_ready:
                return
            if failure or time.monotonic() > deadline:
                raise SandboxUnavailableError(failure or f"It is not ready after {_START_SECONDS:g} seconds.")
            if zygote is not None:
                await asyncio.to_thread(zygote.wait_for_news, _LOOK_SECONDS)

    def end(self) -> None:
        """End all, and their sandboxes with them."""
        with self._lock:
            zygotes = self._take_all()
        for zygote in zygotes:
            zygote.close()
        for zygote in zygotes:
            try:
                zygote.process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                zygote.process.kill()
                zygote.process.wait()

    def _leave(self) -> None:
        """Begin anew in a process that was forked from this one, where another thread may have had the lock."""
        self._lock = threading.Lock()
        for zygote in self._take_all():
            zygote.leave()

    def _take_all(self) -> list[_Zygote]:
        zygotes = [*self._ended, *(entry.zygote for entry in self._entries.values() if entry.zygote is not None)]
        self._entries, self._ended = {}, []
        return zygotes

    def _choose(self, plan: ZygotePlan) -> tuple[_Zygote | None, bool]:
        """The zygote if one is ready; and whether one is to be started."""
        with self._lock:
            entry = self._entry(plan)
            if entry.zygote is not None and entry.zygote.is_ready:
                return entry.zygote, False
            entry.launched += 1
            is_due = entry.launched > _LAUNCHED_BEFORE and not entry.is_starting
            return None, is_due and entry.zygote is None and not entry.failure

    def _entry(self, plan: ZygotePlan) -> _Entry:
        """What is known by now; called with the lock."""
        self._ended = [zygote for zygote in self._ended if zygote.process.poll() is None]
        for entry in self._entries.values():
            if entry.zygote is not None and not entry.zygote.look():
                entry.zygote.close()
                self._ended.append(entry.zygote)
                entry.failure, entry.zygote = entry.zygote.failure, None
                if entry.failure:
                    logger.info("Sandboxes cannot be forked from a zygote: %s", entry.failure)
        return self._entries.setdefault(plan.key, _Entry())

    def _start(self, plan: ZygotePlan) -> None:
        """Start a zygote where there is none. Blocks."""
        with self._lock:
            entry = self._entry(plan)
            if entry.is_starting or entry.zygote is not None or entry.failure:
                return
            entry.is_starting = True
        try:
            zygote = _Zygote.start(plan)
        except OSError as error:
            with self._lock:
                entry.is_starting, entry.failure = False, str(error)
        else:
            with self._lock:
                entry.is_starting, entry.zygote = False, zygote


class _ForkedTransport(StreamTransport):
    """The streams of a sandbox that was forked. Its keeper closes stderr when everything of it is gone."""

    @classmethod
    async def make(cls, zygote: _Zygote, request: bytes) -> Self | None:
        """Ask a zygote for a sandbox; None where it takes no request."""
        try:
            (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr) = _pipes(3)
        except OSError:  # no descriptors are left; the launcher says so
            return None
        theirs, ours = (stdin, stdout, stderr), (to_stdin, from_stdout, from_stderr)
        try:
            zygote.fork(request, theirs)
        except OSError:  # it has just ended
            for fd in ours:
                os.close(fd)
            return None
        finally:
            for fd in theirs:
                os.close(fd)
        connected = asyncio.ensure_future(cls._connect(ours, zygote))
        try:
            return await uninterrupted(connected)  # for some passes of the event loop
        except asyncio.CancelledError:
            await uninterrupted(connected.result().close())
            raise

    @classmethod
    async def _connect(cls, streams: tuple[int, int, int], zygote: _Zygote) -> Self:
        stdin, stdout, stderr = streams
        return cls(await _writer(stdin), await _reader(stdout), await _reader(stderr), zygote)

    def __init__(
        self,
        stdin: asyncio.StreamWriter,
        stdout: asyncio.StreamReader,
        stderr: asyncio.StreamReader,
        zygote: _Zygote,
    ) -> None:
        super().__init__(stdin, stdout, stderr, end_seconds=_STUCK_SECONDS)
        self._zygote = zygote

    @override
    def _kill(self) -> None:
        self._zygote.process.kill()  # only the keeper can end this one alone, and it does not

    @override
    async def _wait(self) -> None:
        """Nothing is left where stderr has ended."""


def _pipes(count: int) -> list[tuple[int, int]]:
    """Make so many pipes, or none.

    Raises:
        OSError: No descriptors are left.
    """
    made: list[tuple[int, int]] = []
    try:
        made.extend(os.pipe() for _ in range(count))
    except OSError:
        for fd in chain.from_iterable(made):
            os.close(fd)
        raise
    return made


async def _reader(fd: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    pipe = os.fdopen(fd, "rb", 0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: StreamReaderProtocol(reader), pipe)
    return reader


async def _writer(fd: int) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(fd, "wb", 0)
    transport, protocol = await loop.connect_write_pipe(lambda: StreamReaderProtocol(asyncio.StreamReader()), pipe)
    return asyncio.StreamWriter(transport, protocol, None, loop)


ZYGOTES: Final = Zygotes()
"""Those of this process."""
atexit.register(ZYGOTES.end)
