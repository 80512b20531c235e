"""What a sandbox promises, whichever kind of isolation it is made of.

A `SandboxBackend` (Docker, bubblewrap, namespaces) makes a `Sandbox` from a `SandboxPolicy`. A sandbox is one isolation
domain with one work folder that lasts until `reset` or `close`. Results are collected inside: the host never opens a
path that the code in the sandbox can write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from pydantic import ConfigDict

from symposia.core.code_executor._executor import OutputListener

MIB = 1024 * 1024

Progress = Callable[[str], None]
"""Called with a line of text as each part of a long work begins."""
RunStatus = Literal["ok", "error", "timeout", "out_of_memory", "output_limit", "disk_full", "crashed", "cancelled"]


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


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxMount:
    """A file or folder of the host, seen read-only inside.

    Attributes:
        source: An existing path on the host.
        target: An absolute path inside, below ``/data``.
    """

    source: Path
    target: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A file that a block made or changed in the work folder.

    Attributes:
        path: Relative to the work folder, with forward slashes.
        kind: Its media type, guessed from its name (``image/png``), else ``application/octet-stream``.
        size: Bytes.
        sha256: Hexadecimal digest of `data`.
    """

    __pydantic_config__ = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    path: str
    kind: str
    size: int
    sha256: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxResult:
    """What one block did.

    Attributes:
        status: ``ok`` and ``error`` say how the code itself ended; everything else says which limit ended it.
        exit_code: As a shell reports it: 128 + N for a signal N; 124 for a timeout.
        stdout: Decoded as UTF-8 with replacement, partial where the block was ended.
        stderr: Likewise.
        stdout_cut: Bytes of stdout that were dropped in the middle.
        stderr_cut: Likewise.
        artifacts: Files made or changed, within the policy's caps.
        artifacts_skipped: Paths left behind, each with the reason (``"too large"``, ``"not a regular file"``).
        wall_seconds: From the start of the block to its end.
        cpu_seconds: User and system time of everything that the block started.
        peak_memory_bytes: Largest resident size of one process of the block; 0 where it is unknown.
    """

    status: RunStatus
    exit_code: int
    stdout: str
    stderr: str
    stdout_cut: int = 0
    stderr_cut: int = 0
    artifacts: Sequence[Artifact] = ()
    artifacts_skipped: Sequence[tuple[str, str]] = ()
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0


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
