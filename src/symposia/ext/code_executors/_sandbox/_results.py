"""A block's result, put together from what the server says while it runs."""

from __future__ import annotations

import hashlib
import mimetypes

from symposia.core.code_executor import Artifact, OutputListener, OutputStream, SandboxPolicy, SandboxResult
from symposia.ext.code_executors._sandbox._inside._frames import FrameError
from symposia.ext.code_executors._sandbox._output import KeptOutput
from symposia.ext.code_executors._sandbox._replies import Ended

TIMEOUT_EXIT_CODE = 124
_MOST_SKIPPED = 256
_TYPES = mimetypes.MimeTypes()  # made here: making it reads files of the host


class ResultInProgress:
    """What is known so far of a running block. Holds no more than the policy allows, whatever the server says."""

    def __init__(self, policy: SandboxPolicy, listener: OutputListener | None) -> None:
        self._policy = policy
        self._listener = listener
        self._output: dict[OutputStream, KeptOutput] = {
            "stdout": KeptOutput(policy.output_kept_bytes),
            "stderr": KeptOutput(policy.output_kept_bytes),
        }
        self._output_bytes = 0
        self._artifacts: list[Artifact] = []
        self._artifact_bytes = 0
        self._skipped: list[tuple[str, str]] = []

    def add_output(self, stream: OutputStream, data: bytes) -> None:
        """Keep a piece of output and tell the listener.

        Raises:
            FrameError: The server sends more than it was told to.
        """
        self._output_bytes += len(data)
        if self._output_bytes > self._policy.output_limit_bytes:
            raise FrameError("it sent more output than the policy allows")
        self._tell(stream, self._output[stream].add(data))

    def add_artifact(self, path: str, data: bytes) -> None:
        """Keep a file.

        Raises:
            FrameError: The server sends more than it was told to.
        """
        self._artifact_bytes += len(data)
        if len(self._artifacts) >= self._policy.artifacts or self._artifact_bytes > self._policy.artifact_bytes:
            raise FrameError("it sent more files than the policy allows")
        kind = _TYPES.guess_type(path)[0] or "application/octet-stream"
        digest = hashlib.sha256(data).hexdigest()
        self._artifacts.append(Artifact(path=path, kind=kind, size=len(data), sha256=digest, data=data))

    def add_skipped(self, path: str, reason: str) -> None:
        """Remember that a file was left behind.

        Raises:
            FrameError: There are more of them than a server names.
        """
        if len(self._skipped) >= _MOST_SKIPPED:
            raise FrameError("it names too many files that were left behind")
        self._skipped.append((path, reason))

    def ended(self, end: Ended) -> SandboxResult:
        """The result of a block of which the server says that it is over."""
        for stream, output in self._output.items():
            self._tell(stream, output.finish())
        stdout, stdout_cut = self._output["stdout"].result()
        stderr, stderr_cut = self._output["stderr"].result()
        return SandboxResult(
            status=end.status,
            exit_code=end.exit_code,
            stdout=stdout,
            stderr=stderr,
            stdout_cut=stdout_cut,
            stderr_cut=stderr_cut,
            artifacts=tuple(self._artifacts),
            artifacts_skipped=tuple(self._skipped),
            wall_seconds=end.wall_seconds,
            cpu_seconds=end.cpu_seconds,
            peak_memory_bytes=end.peak_memory_bytes,
        )

    def timed_out(self, wall_seconds: float) -> SandboxResult:
        """The result of a block that had to be ended from outside."""
        return self.ended(
            Ended(
                kind="ended",
                status="timeout",
                exit_code=TIMEOUT_EXIT_CODE,
                wall_seconds=wall_seconds,
                cpu_seconds=0.0,
                peak_memory_bytes=0,
            )
        )

    def _tell(self, stream: OutputStream, text: str) -> None:
        if text and self._listener is not None:
            self._listener(stream, text)
