"""Running the blocks that the host asks for: each is started, watched, and reported with the files that it has made."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, cast

from ._artifacts import Fingerprint, Found, collect, snapshot
from ._block import Block, BlockEnding, BlockProcesses, End
from ._channel import Channel, NoConnections, Settings
from ._folders import has_too_many_files, is_full, nameless_file, reclaim, remove_file, write_file
from ._frames import Frame
from ._memory import MemoryWatch
from ._output import Output
from ._processes import Command, Started, Usage, start_command

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_SCRIPT = ".block.py"
_SHELL = "/bin/sh"


class PythonBlocks(BlockEnding, Protocol):
    """What runs blocks of Python, and ends blocks in any language: `Interpreters`, `Session`."""

    def start(self, source: bytes, path: str) -> Started:
        """Run a block of Python."""
        ...

    def make_way(self) -> None:
        """Prepare for a block in another language."""
        ...

    def take_changes(self) -> list[str]:
        """What has become of variables since this was called last."""
        ...


class BlockRunner:
    """Runs one block after another.

    Args:
        channel: Where a request to cancel a block comes from, and where its output and its end go.
        settings: The limits, and where things are.
        processes: All processes of the sandbox.
        memory: Tells whether a block has used up its memory.
        python: Runs the blocks of Python.
        connections: Carries the connections of the blocks.
    """

    def __init__(
        self,
        channel: Channel,
        settings: Settings,
        processes: BlockProcesses,
        memory: MemoryWatch,
        python: PythonBlocks,
        connections: NoConnections,
    ) -> None:
        self._channel = channel
        self._settings = settings
        self._folders = (settings.work_folder, *settings.scratch_folders)
        self._processes = processes
        self._memory = memory
        self._python = python
        self._connections = connections
        self._files: dict[str, Fingerprint | None] | None = None
        self.last_source = b""

    def look_at_files(self) -> int:
        """Take the snapshot for the next block ahead of it, unless that is done. Return the number of files."""
        if self._files is None:
            self._files = snapshot(self._settings.work_folder)
        return len(self._files)

    def forget_files(self) -> None:
        """Take the snapshot again: something other than a block changes files."""
        self._files = None

    def run(self, request: Frame) -> None:
        """Run a block, and tell the host of it."""
        self.look_at_files()
        before, self._files = self._files or {}, None
        start = self._start_python if request.header["language"] == "python" else self._start_shell
        end = self._run(lambda: start(request.data), cast("float", request.header["time_limit"]))
        # From here on nothing of the block runs, so what is looked at stays as it is until it is sent.
        for changed in self._folders:
            reclaim(changed)
        folder = self._settings.work_folder
        remove_file(folder, _SCRIPT)
        for found in collect(folder, before, self._settings.artifacts, self._settings.artifact_bytes):
            self._send_found(found)
        self._send_end(end)

    def _start_python(self, source: bytes) -> Started:
        self.last_source = source
        folder = self._settings.work_folder
        # The interpreter has its source already. The file is for what a block starts from it, as `multiprocessing`
        # does; a block before may have taken its name, or all space.
        with suppress(OSError):
            write_file(folder, _SCRIPT, source)
        return self._python.start(source, f"{folder}/{_SCRIPT}")

    def _start_shell(self, source: bytes) -> Started:
        self._python.make_way()
        with nameless_file(self._folders, source) as script:
            arguments = [_SHELL, f"/dev/fd/{script}"]
            settings = self._settings
            command = Command(
                arguments, settings.environment, settings.work_folder, settings.open_files, inherited=(script,)
            )
            return start_command(command)

    def _run(self, start: Callable[[], Started], time_limit: float) -> End:
        self._memory.start()
        block = Block(
            self._channel,
            self._processes,
            self._python,
            self._over_limit,
            Output(self._channel, self._settings),
            self._connections,
        )
        try:
            end = block.run(lambda: self._started(start), time_limit)
        except OSError as error:
            if error.errno not in NO_SPACE:
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
            self._channel.hold({"kind": "started"})

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
                "variables": self._python.take_changes(),
            }
        )
