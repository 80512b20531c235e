"""What running code gives: the result of a list of blocks, of one block, and the files that a block made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Self, TypeAlias

from pydantic import ConfigDict

from symposia.core.code_executor._network import ConnectionAttempt

OutputStream: TypeAlias = Literal["stdout", "stderr"]
OutputListener: TypeAlias = Callable[[OutputStream, str], None]
"""Called on the event loop with each piece of output as it comes."""

RunStatus: TypeAlias = Literal[
    "ok", "error", "timeout", "out_of_memory", "output_limit", "disk_full", "crashed", "cancelled"
]
"""The ending of a block: its own (``ok``, ``error``), a limit, or the end of its sandbox."""

KILLED: Final = 137
"""The exit code of what was killed, as a shell reports it: 128 and the number of SIGKILL."""


@dataclass
class CodeBlock:
    """A piece of code taken from a message.

    Attributes:
        code: The source.
        language: As the fence names it: ``python``, ``sh``, …
    """

    code: str
    language: str


@dataclass
class CodeResult:
    """What a list of code blocks did.

    Attributes:
        exit_code: Of the last block that ran; 0 when every block succeeded.
        output: What all blocks that ran have printed, in order.
    """

    exit_code: int
    output: str


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
        stderr: Decoded in the same way.
        stdout_cut: Bytes of stdout that were dropped in the middle.
        stderr_cut: Bytes of stderr that were dropped in the middle.
        artifacts: Files made or changed, within the policy's caps.
        artifacts_skipped: Paths left behind, each with the reason (``"too large"``, ``"not a regular file"``).
        wall_seconds: From the start of the block to its end.
        cpu_seconds: User and system time of everything that the block started.
        peak_memory_bytes: Largest resident size of one process of the block, beyond what was imported ahead; 0 where it
            is unknown.
        notes: What was done to the sandbox for this block or because of it, such as replacing it, in sentences.
        connections: What it tried to connect to, where the policy gives it a network.
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
    notes: Sequence[str] = ()
    connections: Sequence[ConnectionAttempt] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockResult:
    """What one block did.

    Attributes:
        block: The block as it was given.
        code_file: The path of its source in the work folder; None when it was refused before it could run.
        status: How it ended: by itself (``ok``, ``error``) or by which limit.
        exit_code: As a shell reports it; 124 for a timeout.
        output: What it printed, stdout before stderr, then a line that names the limit that ended it, if one did.
        artifacts: Files that it made or changed.
        artifacts_skipped: Paths that did not come back, each with the reason.
        wall_seconds: From its start to its end.
        stdout: What it printed to stdout alone; None where the executor does not separate the two.
        stderr: What it printed to stderr alone; None as for `stdout`.
        cpu_seconds: User and system time of everything that it started; 0 where the executor does not measure it.
        peak_memory_bytes: The largest memory of one of its processes, beyond what was imported ahead; 0 as above.
        ended_by: What ended it, in words: the limit with its value ("the time limit of 60 s"), or why it was
            interrupted. Empty if it ended by itself, or the executor does not say.
        notes: What was done to the sandbox for this block or because of it, such as replacing it, in sentences.
        connections: What it tried to connect to, where the policy gives it a network.
    """

    block: CodeBlock
    code_file: str | None
    status: RunStatus
    exit_code: int
    output: str
    artifacts: tuple[Artifact, ...] = ()
    artifacts_skipped: tuple[tuple[str, str], ...] = ()
    wall_seconds: float = 0.0
    stdout: str | None = None
    stderr: str | None = None
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    ended_by: str = ""
    notes: tuple[str, ...] = ()
    connections: tuple[ConnectionAttempt, ...] = ()

    @classmethod
    def of(cls, block: CodeBlock, result: CodeResult) -> BlockResult:
        """The result of a list of one block, also of an executor without results for single blocks."""
        if isinstance(result, BlockwiseCodeResult) and result.blocks:
            return result.blocks[0]
        status = "error" if result.exit_code else "ok"
        return cls(block=block, code_file=None, status=status, exit_code=result.exit_code, output=result.output)

    @property
    def ending(self) -> str:
        """How it ended, in words: its exit status, and what ended it."""
        if self.status == "cancelled":
            return f"interrupted: {self.ended_by}" if self.ended_by else "interrupted"
        if self.status in ("ok", "error"):
            return f"exit status {self.exit_code}"
        return f"exit status {self.exit_code}" + (
            f": ended at {self.ended_by}" if self.ended_by else f" ({self.status.replace('_', ' ')})"
        )

    @property
    def streams(self) -> tuple[tuple[OutputStream, str], ...]:
        """What it printed, by stream. All is ``stdout`` where the executor does not separate the two."""
        return ("stdout", self.output if self.stdout is None else self.stdout), ("stderr", self.stderr or "")


@dataclass
class BlockwiseCodeResult(CodeResult):
    """What a list of blocks did, in sum and block by block.

    Attributes:
        blocks: One result for each block that was tried, the failing one last.
    """

    blocks: Sequence[BlockResult] = field(default=(), kw_only=True)

    @property
    def artifacts(self) -> list[Artifact]:
        """The files that the blocks made or changed; of a file changed twice, what it was at the end."""
        latest = {artifact.path: artifact for block in self.blocks for artifact in block.artifacts}
        return list(latest.values())

    @property
    def images(self) -> list[Artifact]:
        """Those of the artifacts that are images."""
        return [artifact for artifact in self.artifacts if artifact.kind.startswith("image/")]


@dataclass
class CommandLineCodeResult(BlockwiseCodeResult):
    """What a list of blocks did that ran as commands.

    Attributes:
        code_file: The path of the source of the first block in the work folder; None when no block could run.
    """

    code_file: str | None = None

    @classmethod
    def of(cls, blocks: Sequence[BlockResult]) -> Self:
        """The sum of the results of at least one block."""
        return cls(
            exit_code=blocks[-1].exit_code,
            output="".join(block.output for block in blocks),
            code_file=blocks[0].code_file,
            blocks=tuple(blocks),
        )
