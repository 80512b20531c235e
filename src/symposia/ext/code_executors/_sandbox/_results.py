"""A block's result, put together within the caps of the policy, whatever the server sends. Does no I/O."""

from __future__ import annotations

import codecs
import hashlib
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from symposia.core.code_executor import (
    Artifact,
    ConnectionAttempt,
    OutputListener,
    OutputStream,
    RunStatus,
    SandboxPolicy,
    SandboxResult,
)
from symposia.core.exceptions import SandboxDiedError
from symposia.core.terminal_text import printable_name
from symposia.ext.code_executors._sandbox._conversation import Ended, VariablesChange
from symposia.ext.code_executors._sandbox._inside._frames import FrameError
from symposia.ext.code_executors._sandbox._inside._output import head_and_tail

VARIABLES: Final[Mapping[VariablesChange, str]] = MappingProxyType(
    {
        "lost_before": "The variables of earlier blocks were lost before this block, which began anew.",
        "rolled_back": "Variables are as before this block.",
        "lost": "The variables are lost. The next block begins anew.",
    }
)
TIMEOUT_EXIT_CODE = 124  # as timeout(1) reports it
_MOST_SKIPPED = 256
_MOST_NETWORK_NOTES = 10
_TYPES = mimetypes.MimeTypes()  # made here: making it reads files of the host
_CONTINUATION = 0b10  # the first bits of every byte of a UTF-8 character but its first
_Utf8Decoder = codecs.getincrementaldecoder("utf-8")


def network_notes(attempts: Sequence[ConnectionAttempt]) -> list[str]:
    """What did not work, for the reader of a result: each destination and reason once."""
    failed = [attempt for attempt in attempts if attempt.outcome != "connected"]
    told = dict.fromkeys(f"network: {each.destination} {each.outcome}: {each.reason}" for each in failed)
    notes = list(told)[:_MOST_NETWORK_NOTES]
    return notes if len(notes) == len(told) else [*notes, f"network: {len(told) - len(notes)} more did not work"]


class KeptOutput:
    """One stream of output, kept up to a limit.

    Args:
        limit: Bytes kept: half of them from the head, half from the tail.
    """

    def __init__(self, limit: int) -> None:
        self._head_limit, self._tail_limit = head_and_tail(limit)
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0
        self._pieces = _Utf8Decoder("replace")

    def add(self, data: bytes) -> str:
        """Keep `data`, and return the text that it completes: a character may come in two pieces."""
        room = self._head_limit - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self._tail_limit:  # trimmed in batches: a trim moves the whole tail
            self._trim()
        return self._pieces.decode(data)

    def cut(self, count: int) -> str:
        """Count bytes that are left out here, and return the text of an unfinished character before them."""
        self._dropped += count
        return self.finish()

    def finish(self) -> str:
        """The text of an unfinished character at the very end, if there is one."""
        return self._pieces.decode(b"", final=True)

    def result(self) -> tuple[str, int]:
        """The text, with a line where it was cut, and the number of bytes that were cut."""
        self._trim()
        if not self._dropped:
            return (self._head + self._tail).decode("utf-8", "replace"), 0
        head = _Utf8Decoder("replace").decode(self._head)  # not final: half a character at the cut is left out
        tail = self._tail[_continuation_bytes(self._tail) :].decode("utf-8", "replace")
        return f"{head}\n[... {self._dropped} bytes cut ...]\n{tail}", self._dropped

    def _trim(self) -> None:
        excess = len(self._tail) - self._tail_limit
        if excess > 0:
            self._dropped += excess
            del self._tail[:excess]


def _continuation_bytes(data: bytearray) -> int:
    """How many bytes at the start belong to a character that was cut: three at most, or it is not UTF-8 anyway."""
    return next((index for index, byte in enumerate(data[:3]) if byte >> 6 != _CONTINUATION), min(3, len(data)))


class BlockOutput:
    """What a block printed so far: kept within the caps of a policy, and passed to a listener as it comes."""

    def __init__(self, policy: SandboxPolicy, listener: OutputListener | None) -> None:
        self._listener = listener
        self._left = policy.output_limit_bytes
        self._streams: dict[OutputStream, KeptOutput] = {
            "stdout": KeptOutput(policy.output_kept_bytes),
            "stderr": KeptOutput(policy.output_kept_bytes),
        }

    def add(self, stream: OutputStream, data: bytes) -> None:
        """Keep a piece of output, and pass it to the listener."""
        self._left -= len(data)
        self._tell(stream, self._streams[stream].add(data))

    def cut(self, stream: OutputStream, count: int) -> None:
        """Count bytes of output that are left out here."""
        self._left -= count
        self._tell(stream, self._streams[stream].cut(count))

    @property
    def is_too_much(self) -> bool:
        """Whether the block printed more than the policy allows."""
        return self._left < 0

    def result(self, status: RunStatus, exit_code: int, wall_seconds: float) -> SandboxResult:
        """The result of a block that has ended, without its files."""
        for stream, output in self._streams.items():
            self._tell(stream, output.finish())
        stdout, stdout_cut = self._streams["stdout"].result()
        stderr, stderr_cut = self._streams["stderr"].result()
        return SandboxResult(
            status=status,
            exit_code=exit_code,
            stdout=stdout,
            stderr=stderr,
            stdout_cut=stdout_cut,
            stderr_cut=stderr_cut,
            wall_seconds=wall_seconds,
        )

    def _tell(self, stream: OutputStream, text: str) -> None:
        if text and self._listener is not None:
            self._listener(stream, text)


def make_artifact(path: str, data: bytes) -> Artifact:
    """Describe a file that a block made or changed; its media type is guessed from its name."""
    kind = _TYPES.guess_type(path)[0] or "application/octet-stream"
    return Artifact(path=path, kind=kind, size=len(data), sha256=hashlib.sha256(data).hexdigest(), data=data)


class ResultInProgress:
    """What is known so far of a running block.

    It holds no more than the policy allows, whatever the server says: the server applies the same caps, but it shares
    the sandbox with hostile code, so what comes from it is counted once more.
    """

    def __init__(self, policy: SandboxPolicy, listener: OutputListener | None) -> None:
        self._policy = policy
        self._output = BlockOutput(policy, listener)
        self._artifacts: list[Artifact] = []
        self._artifact_bytes = 0
        self._skipped: list[tuple[str, str]] = []

    def add_output(self, stream: OutputStream, data: bytes) -> None:
        """Keep a piece of output, and pass it to the listener.

        Raises:
            FrameError: The server sends more than the limit that it was given.
        """
        self._output.add(stream, data)
        if self._output.is_too_much:
            raise FrameError("it sent more output than the policy allows")

    def add_cut(self, stream: OutputStream, count: int) -> None:
        """Count bytes of output that the server has left out.

        Raises:
            FrameError: They are more than the limit that it was given.
        """
        self._output.cut(stream, count)
        if self._output.is_too_much:
            raise FrameError("it has left out more output than the policy allows")

    def add_artifact(self, path: str, data: bytes) -> None:
        """Keep a file.

        Raises:
            FrameError: The server sends more than the limit that it was given.
        """
        if not path.isprintable():  # by the server's rule, which the host does not rely on
            raise FrameError("it sent a file whose name cannot be printed")
        self._artifact_bytes += len(data)
        if len(self._artifacts) >= self._policy.artifacts or self._artifact_bytes > self._policy.artifact_bytes:
            raise FrameError("it sent more files than the policy allows")
        self._artifacts.append(make_artifact(path, data))

    def add_skipped(self, path: str, reason: str) -> None:
        """Record a file that the server did not send.

        Raises:
            FrameError: There are more of them than a server reports.
        """
        if len(self._skipped) >= _MOST_SKIPPED:
            raise FrameError("it names too many files that were left behind")
        self._skipped.append((printable_name(path), printable_name(reason)))

    def ended(self, end: Ended) -> SandboxResult:
        """The result, from the last reply of the server."""
        return replace(
            self._output.result(end.status, end.exit_code, end.wall_seconds),
            artifacts=tuple(self._artifacts),
            artifacts_skipped=tuple(self._skipped),
            cpu_seconds=end.cpu_seconds,
            peak_memory_bytes=end.peak_memory_bytes,
            notes=tuple(dict.fromkeys(VARIABLES[change] for change in end.variables)),
        )

    def add_to(self, error: SandboxDiedError) -> None:
        """Add what was received of the block's output to the error by which it ends."""
        received = self._output.result("crashed", 0, 0.0)
        error.stdout, error.stderr = received.stdout, received.stderr

    def timed_out(self, wall_seconds: float) -> SandboxResult:
        """The result of a block that the host ended. What it used is not known."""
        return replace(
            self._output.result("timeout", TIMEOUT_EXIT_CODE, wall_seconds),
            artifacts=tuple(self._artifacts),
            artifacts_skipped=tuple(self._skipped),
        )
