"""What a sandbox promises, whichever kind of isolation it is made of.

A `SandboxBackend` (Docker, bubblewrap, namespaces) makes a `Sandbox` from a `SandboxPolicy`. A sandbox is one isolation
domain with one work folder that lasts until `reset` or `close`. Results are collected inside: the host never opens a
path that the code in the sandbox can write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from symposia.core.code_executor._results import OutputListener, RunStatus, SandboxResult

MIB = 1024 * 1024

Progress = Callable[[str], None]
"""Called with a line of text as each part of a long work begins."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxPolicy:
    """What code in a sandbox may use. Every limit is on unless the caller lifts it.

    There is no switch for the network, for root or for capabilities: a sandbox never has them.

    Attributes:
        memory_bytes: Memory of everything in the sandbox together; reaching it ends the block as ``out_of_memory``.
        cpus: Processor time a second, in processors.
        processes: Processes and threads alive at once, in the whole sandbox.
        open_files: File descriptors a process.
        work_bytes: Size of the work folder, which is memory-backed.
        work_inodes: Files and folders in the work folder.
        tmp_bytes: Size of ``/tmp``, and of ``/dev/shm``.
        time_limit: Seconds a block may run when the call does not say.
        output_kept_bytes: Bytes kept of each of stdout and stderr: the head and the tail, and a line between them that
            says how much was cut.
        output_limit_bytes: Bytes of output after which the block is ended as ``output_limit``.
        artifacts: Most files that come back from one block.
        artifact_bytes: Most bytes of files that come back from one block.
    """

    memory_bytes: int = 512 * MIB
    cpus: float = 1.0
    processes: int = 64
    open_files: int = 256
    work_bytes: int = 64 * MIB
    work_inodes: int = 4096
    tmp_bytes: int = 32 * MIB
    time_limit: float = 60.0
    output_kept_bytes: int = 1 * MIB
    output_limit_bytes: int = 16 * MIB
    artifacts: int = 32
    artifact_bytes: int = 8 * MIB

    def limit_met(self, status: RunStatus) -> str:
        """Name the limit that a block met, with its value: "the time limit of 60 s".

        Args:
            status: How the block ended.

        Returns:
            The limit in words; empty where the status tells of none.
        """
        match status:
            case "timeout":
                return f"the time limit of {self.time_limit:g} s"
            case "out_of_memory":
                return f"the memory limit of {_mib(self.memory_bytes)}"
            case "disk_full":
                return f"the disk limit of {_mib(self.work_bytes)} (or {self.work_inodes:,} files)"
            case "output_limit":
                return f"the output limit of {_mib(self.output_limit_bytes)}"
            case _:
                return ""


def _mib(size: int) -> str:
    return f"{size / MIB:,.4g} MiB"


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxMount:
    """A file or folder of the host, seen read-only inside.

    Attributes:
        source: An existing path on the host.
        target: An absolute path inside, below ``/data``.
    """

    source: Path
    target: str


class Sandbox(Protocol):
    """One isolation domain. Requests run one after another; none may be made after `close`."""

    async def run(
        self, code: str, language: str, *, timeout: float | None = None, on_output: OutputListener | None = None
    ) -> SandboxResult:
        """Run one block in a fresh interpreter, in the work folder.

        Cancelling the call kills everything that the block started before the cancellation is passed on.

        Args:
            code: The source.
            language: ``python`` or ``sh`` (aliases are resolved by the executors above).
            timeout: Seconds; the policy's ``time_limit`` when None.
            on_output: Called on the event loop with each decoded piece of output as it comes.

        Raises:
            SandboxDiedError: The sandbox itself ended.
        """
        ...

    async def put(self, path: str, data: bytes) -> None:
        """Write a file into the work folder.

        Raises:
            ValueError: `path` leaves the work folder.
            SandboxError: It does not fit.
        """
        ...

    async def get(self, path: str) -> bytes:
        """Read a regular file of the work folder.

        Raises:
            FileNotFoundError: There is no such regular file.
        """
        ...

    async def reset(self) -> None:
        """Kill what still runs and empty the work folder."""
        ...

    async def close(self) -> None:
        """End the sandbox and everything in it. Closing twice is harmless."""
        ...


class SandboxBackend(Protocol):
    """A kind of isolation: makes sandboxes. Derive from it; only `unavailable_reason` and `create` have to be written.

    Attributes:
        name: As the command line spells it: ``docker``, ``bubblewrap``, ``namespaces``.
    """

    name: str

    async def unavailable_reason(self) -> str | None:
        """Why it cannot work on this machine and what to install, in a sentence or two; None when it works.

        It makes nothing: what `set_up` makes may still be missing.
        """
        ...

    async def is_set_up(self) -> bool:
        """Whether `create` starts a sandbox at once, with nothing to be made first. True by default."""
        return True

    async def set_up(self, progress: Progress | None = None) -> None:
        """Make what sandboxes of this kind need, where it is not there yet. Nothing by default.

        A sandbox that was not set up does the same when the first one is created, without telling of its progress.

        Args:
            progress: Called with a line of text as each part of the work begins; never called when all is there.

        Raises:
            SandboxUnavailableError: It cannot be made; the text says what to do. Nothing half-made remains.
        """

    async def create(self, policy: SandboxPolicy, *, mounts: Sequence[SandboxMount] = ()) -> Sandbox:
        """Start a sandbox.

        Raises:
            SandboxUnavailableError: It cannot work on this machine.
        """
        ...
