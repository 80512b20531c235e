"""The result of executors that run each block as a command of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symposia.core.code_executor._executor import CodeBlock, CodeResult
from symposia.core.code_executor._sandbox import Artifact, RunStatus


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
