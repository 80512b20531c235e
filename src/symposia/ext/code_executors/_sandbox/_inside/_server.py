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
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, cast

from ._artifacts import Found, collect, snapshot
from ._block import Block, End
from ._channel import Channel, HostGoneError, NoConnections, Settings, read_settings
from ._confinement import confine_server, die_with_parent
from ._folders import (
    empty_folder,
    has_too_many_files,
    is_full,
    nameless_file,
    read_file,
    reclaim,
    remove_file,
    write_file,
)
from ._frames import CONNECTION_KINDS, Frame
from ._interpreters import Interpreters
from ._memory import watch_memory
from ._processes import Command, Processes, Started, Usage, refuse_unless_pid_1, start_command

_MOST_BYTES = 2**32  # of a request: the host has checked it against the policy
_SCRIPT = ".block.py"
_SHELL = "/bin/sh"
_IDLE_SECONDS = 0.05  # without a request, after which the next library is imported
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


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
    channel.send({"kind": "ready", "landlock": landlock, "memory_enforced": server.memory_enforced})
    while True:
        channel.send_all()
        server.use_idle_time()
        server.answer(channel.receive())


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
        self._connections = self._make_connections()
        self._last_block = b""

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
            self._run(request)
        elif kind != "cancel" and kind not in CONNECTION_KINDS:  # which come too late: their block has ended
            self._answer_about_files(str(kind), request)

    def use_idle_time(self) -> None:
        """Prepare for the next block until there is a request."""
        # At once, and not when nothing comes for a while: blocks that come one behind the other would each import it.
        self._interpreters.import_named_in(self._last_block)
        self._interpreters.prepare()
        while not self._interpreters.is_ready and self._channel.is_quiet(_IDLE_SECONDS):
            self._interpreters.improve()
            self._interpreters.prepare()

    def _answer_about_files(self, kind: str, request: Frame) -> None:
        try:
            data = self._do(kind, request)
        except OSError as error:
            self._channel.send({"kind": "refused", "error": _refusal(kind, error), "text": error.strerror or ""})
        else:
            self._channel.send({"kind": "done"}, data)

    def _do(self, kind: str, request: Frame) -> bytes:
        folder = self._settings.work_folder
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

    def _run(self, request: Frame) -> None:
        folder = self._settings.work_folder
        before = snapshot(folder)
        start = self._start_python if request.header["language"] == "python" else self._start_shell
        end = self._run_block(lambda: start(request.data), cast("float", request.header["time_limit"]))
        # From here on nothing of the block runs, so what is looked at stays as it is until it is sent.
        for changed in self._folders:
            reclaim(changed)
        remove_file(folder, _SCRIPT)
        for found in collect(folder, before, self._settings.artifacts, self._settings.artifact_bytes):
            self._send_found(found)
        self._send_end(end)

    def _start_python(self, source: bytes) -> Started:
        self._last_block = source
        folder = self._settings.work_folder
        # The interpreter has its source already. The file is for what a block starts from it, as `multiprocessing`
        # does; a block before may have taken its name, or all space.
        with suppress(OSError):
            write_file(folder, _SCRIPT, source)
        return self._interpreters.start(source, f"{folder}/{_SCRIPT}")

    def _start_shell(self, source: bytes) -> Started:
        self._interpreters.make_way()
        with nameless_file(self._folders, source) as script:
            arguments = [_SHELL, f"/dev/fd/{script}"]
            settings = self._settings
            command = Command(
                arguments, settings.environment, settings.work_folder, settings.open_files, inherited=(script,)
            )
            return start_command(command)

    def _run_block(self, start: Callable[[], Started], time_limit: float) -> End:
        self._memory.start()
        block = Block(
            self._channel,
            self._processes,
            self._interpreters,
            self._over_limit,
            self._settings.output_limit_bytes,
            self._connections,
        )
        try:
            end = block.run(lambda: self._started(start), time_limit)
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise
            self._channel.send({"kind": "output", "stream": "stderr"}, f"cannot write the block: {error}\n".encode())
            return End("disk_full", 1, 0.0, Usage())
        if end.status == "error" and any(is_full(folder) for folder in self._folders):
            return end._replace(status="disk_full")
        return end

    def _started(self, start: Callable[[], Started]) -> Started:
        """Start a block, and then tell the host, whose deadline for it begins with that."""
        try:
            return start()
        finally:
            self._channel.send({"kind": "started"})

    def _over_limit(self) -> str:
        if self._memory.exceeded() or self._connections.has_too_much_queued():
            return "out_of_memory"
        return "disk_full" if any(has_too_many_files(folder, self._settings.inodes) for folder in self._folders) else ""

    def _send_found(self, found: Found) -> None:
        if found.data is None:
            self._channel.send({"kind": "skipped", "path": found.path, "reason": found.reason})
        else:
            self._channel.send({"kind": "artifact", "path": found.path}, found.data)

    def _send_end(self, end: End) -> None:
        self._channel.send(
            {
                "kind": "ended",
                "status": end.status,
                "exit_code": end.exit_code,
                "wall_seconds": end.wall_seconds,
                "cpu_seconds": end.usage.cpu_seconds,
                "peak_memory_bytes": end.usage.peak_memory_bytes,
                "variables": self._interpreters.take_changes(),
            }
        )


def _refusal(kind: str, error: OSError) -> str:
    if error.errno in _NO_SPACE:
        return "no_space"
    if error.errno == errno.EFBIG:
        return "too_large"
    return "not_found" if kind == "get" else "invalid"
