"""The server: answers one request of the host after another, and ends when the host is gone.

A server inside is what makes a block cheap and its end certain. Starting each block from outside was rejected: an exec
into a container costs a hundred milliseconds, and killing what it started leaves its daemons running, since only PID 1
gets to know of every process in its namespace. The server collects results for the same reason: when it does, it is the
only process left, so that nothing can change underneath it.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import NoReturn

from ._channel import Channel, HostGoneError, NoConnections, Settings, read_settings
from ._confinement import confine_server, die_with_parent
from ._folders import empty_folder, read_file, write_file
from ._frames import CONNECTION_KINDS, Frame
from ._interpreters import Interpreters
from ._memory import watch_memory
from ._processes import Processes, refuse_unless_pid_1
from ._rehearsal import Rehearsal
from ._runner import NO_SPACE, BlockRunner

_MOST_BYTES = 2**32  # of a request: the host has checked it against the policy
_IDLE_SECONDS = 0.05  # without a request, after which the next library is imported
_MOST_REHEARSED_FILES = 200  # a request may come meanwhile: each file takes some ten microseconds


def main() -> NoReturn:
    """Serve on stdin and stdout until stdin ends."""
    die_with_parent()
    serve()


def serve(*, has_libraries: bool = False) -> NoReturn:
    """Serve in this process, whatever started it.

    Args:
        has_libraries: Whether the libraries that the host names have been imported.
    """
    refuse_unless_pid_1()
    sys.path[:] = [folder for folder in sys.path if folder]  # none that a block can write: Python puts "" there
    # The kernel lets no process inside signal PID 1, but for signals that it has a handler for (pid_namespaces(7)), and
    # Python installs one for SIGINT. The handler of SIGCHLD does nothing.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _serve(_take_over_streams(), has_libraries=has_libraries)
    except HostGoneError:
        os._exit(0)  # and the kernel ends everything else in the sandbox
    except Exception as error:  # noqa: BLE001 - whatever it is: the reason is read by the host, the sandbox must end
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


def _take_over_streams() -> Channel:
    """Move the conversation from stdin and stdout to descriptors that no block inherits.

    A block that could write to the host's stream would speak for the server. Stderr stays where it is, for the
    server's errors; blocks get one of their own.
    """
    channel = Channel(os.dup(0), os.dup(1), _MOST_BYTES)
    for inherited in os.listdir("/proc/self/fd"):  # noqa: PTH208 - descriptors
        with suppress(OSError):  # the one that was used for listing
            os.set_inheritable(int(inherited), False)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(nothing, standard)
    os.close(nothing)
    return channel


def _serve(channel: Channel, *, has_libraries: bool) -> NoReturn:
    opening = channel.receive()
    settings = read_settings(opening.header)
    if has_libraries:
        settings = settings._replace(imported_ahead=[])
    take_environment(settings.environment)
    # Before it is confined, the server opens the memory counter in its own /proc/self/fd, which then belongs to root.
    server = Server(channel, settings)
    landlock = confine_server(settings, opening.data)
    channel.send(
        {
            "kind": "ready",
            "landlock": landlock,
            "memory_enforced": server.memory_enforced,
            "unreadable": _first_unreadable(settings.data),
        }
    )
    while True:
        channel.send_all()
        server.use_idle_time()
        server.answer(channel.receive())


def _first_unreadable(places: Iterable[str]) -> str:
    """The first place of data that this user cannot read; empty where it can read all."""
    for place in places:
        is_folder = os.path.isdir(place)  # noqa: PTH112 - pathlib would be the largest part of the program
        if not os.access(place, os.R_OK | os.X_OK if is_folder else os.R_OK):
            return place
    return ""


def take_environment(environment: dict[str, str]) -> None:
    """Have the environment of the blocks, which libraries read when they are imported.

    What the start of this Python has added to its own (the ``.pth`` files of its packages may) stays.
    """
    with open("/proc/self/environ", "rb") as file:  # noqa: PTH123 - pathlib would be the largest part of the program
        at_start = set(file.read().split(b"\0"))
    added = {name: value for name, value in os.environb.items() if name + b"=" + value not in at_start}
    os.environb.clear()
    os.environb.update(added)
    os.environ.update(environment)
    os.chdir("/")  # some libraries look for settings in the current folder


class Server:
    """Handles the requests of the host.

    Args:
        channel: Where the answers go.
        settings: From the first request.
    """

    def __init__(self, channel: Channel, settings: Settings) -> None:
        self._channel = channel
        self._settings = settings
        self._folders = (settings.work_folder, *settings.scratch_folders)
        self._processes = Processes()
        self._memory = watch_memory(settings.memory_counters, settings.memory_bytes, self._processes)
        self._interpreters = self._make_interpreters()
        self._runner = BlockRunner(
            channel, settings, self._processes, self._memory, self._interpreters, self._make_connections()
        )
        self._rehearsal = Rehearsal(settings, self._memory)

    def _make_interpreters(self) -> Interpreters:
        if not self._settings.stateful:
            return Interpreters(self._settings, self._processes)
        from ._session import Session  # noqa: PLC0415 - the start of every other sandbox would pay for compiling it

        return Session(self._settings, self._processes, self._memory)

    def _make_connections(self) -> NoConnections:
        if not self._settings.connections:
            return NoConnections()
        from ._relay import Relay  # noqa: PLC0415 - as above

        return Relay(self._channel, self._settings.connections, self._settings.connections_a_block)

    @property
    def memory_enforced(self) -> bool:
        """Whether the kernel holds the memory limit, rather than the server."""
        return self._memory.enforced

    def answer(self, request: Frame) -> None:
        """Handle a request, and send its replies."""
        self._interpreters.prepare()
        kind = request.header["kind"]
        if kind == "run":
            self._runner.run(request)
        elif kind != "cancel" and kind not in CONNECTION_KINDS:  # which come too late: their block has ended
            self._answer_about_files(str(kind), request)

    def use_idle_time(self) -> None:
        """Prepare for the next block until there is a request."""
        # At once, and not when nothing comes for a while: blocks that come one behind the other would each import it.
        self._interpreters.import_named_in(self._runner.last_source)
        self._wait_for_end_or_request()
        if self._interpreters.prepare() and self._channel.is_quiet(0):
            self._rehearse()
        while not self._interpreters.is_ready and self._channel.is_quiet(_IDLE_SECONDS):
            self._interpreters.improve()
            if self._interpreters.prepare():
                self._rehearse()

    def _wait_for_end_or_request(self) -> None:
        """Wait until the last block is taken down, unless there is a request.

        A fork meanwhile would take a processor from what carries the result to the host.
        """
        while self._processes.is_taking_down and self._channel.is_quiet_until(self._processes.ended_fd):
            self._processes.reap()

    def _rehearse(self) -> None:
        if self._runner.look_at_files() <= _MOST_REHEARSED_FILES:
            self._rehearsal.run()

    def _answer_about_files(self, kind: str, request: Frame) -> None:
        try:
            data = self._do(kind, request)
        except OSError as error:
            self._channel.send({"kind": "refused", "error": _refusal(kind, error), "text": error.strerror or ""})
        else:
            self._channel.send({"kind": "done"}, data)

    def _do(self, kind: str, request: Frame) -> bytes:
        folder = self._settings.work_folder
        if kind != "get":
            self._runner.forget_files()
        if kind == "put":
            write_file(folder, str(request.header["path"]), request.data)
        elif kind == "get":
            return read_file(folder, str(request.header["path"]), self._settings.file_bytes)
        elif kind == "reset":
            self._interpreters.discard()
            self._processes.kill_all()
            for emptied in self._folders:
                empty_folder(emptied)
        else:
            raise ValueError(f"unknown request {kind!r}")
        return b""


def _refusal(kind: str, error: OSError) -> str:
    if error.errno in NO_SPACE:
        return "no_space"
    if error.errno == errno.EFBIG:
        return "too_large"
    return "not_found" if kind == "get" else "invalid"
