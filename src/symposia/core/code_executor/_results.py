"""What running code gives: how a block ended, what it printed, and the files that it made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ConfigDict

from symposia.core.code_executor._executor import CodeBlock, CodeResult

RunStatus = Literal["ok", "error", "timeout", "out_of_memory", "output_limit", "disk_full", "crashed", "cancelled"]


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


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockResult:
    """What one block did.

    Attributes:
        block: The block as it was given.
        code_file: Where its source stands in the work folder; None when it was refused before it could run.
        status: How it ended: by itself (``ok``, ``error``) or by which limit.
        exit_code: As a shell reports it; 124 for a timeout.
        output: What it printed, stdout before stderr, then a line that names the limit that ended it, if one did.
        artifacts: Files that it made or changed.
        artifacts_skipped: Paths that did not come back, each with the reason.
        wall_seconds: From its start to its end.
        stdout: What it printed to stdout alone; None where the executor does not tell the two apart.
        stderr: Likewise.
    """

    block: CodeBlock
    code_file: str | None
    status: RunStatus
    exit_code: int
    output: str
    artifacts: Sequence[Artifact] = ()
    artifacts_skipped: Sequence[tuple[str, str]] = ()
    wall_seconds: float = 0.0
    stdout: str | None = None
    stderr: str | None = None


@dataclass
class CommandLineCodeResult(CodeResult):
    """What a list of blocks did, in sum and block by block.

    Attributes:
        code_file: Where the source of the first block stands in the work folder; None when no block could run.
        blocks: One result for each block that was tried, the failing one last.
    """

    code_file: str | None = None
    blocks: Sequence[BlockResult] = ()

    @property
    def artifacts(self) -> list[Artifact]:
        """The files that the blocks made or changed; of a file changed twice, what it was at the end."""
        latest = {artifact.path: artifact for block in self.blocks for artifact in block.artifacts}
        return list(latest.values())

    @property
    def images(self) -> list[Artifact]:
        """Those of the artifacts that are images."""
        return [artifact for artifact in self.artifacts if artifact.kind.startswith("image/")]
