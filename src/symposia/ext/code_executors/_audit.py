"""The audit log of an executor: a line of JSON for everything that ran, and for every connection that it tried.

It says what was done and not what was said: no code, no output, no address beyond host and port, no header. The source
is in it as a digest, by which a kept file can be recognised.

Each line is one write to a file that is opened for appending, so that several programs may share a log (write(2)): the
kernel moves to the end and writes in one step. A line that cannot be written is an error of the call whose code ran,
as a log with gaps would be taken for a whole one.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import secrets
import stat
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from symposia.core import uninterrupted
from symposia.core.code_executor import ConnectionAttempt
from symposia.core.exceptions import InvalidArgumentError, SandboxError

_FOR_ITS_OWNER_ALONE: Final = 0o600


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditedRun:
    """A program that is about to run.

    Attributes:
        executor: The name of the executor's class.
        sandbox: The name of the sandbox's kind; empty where there is none.
        language: As the block names it.
        source: The code.
    """

    executor: str
    sandbox: str
    language: str
    source: bytes


class AuditLog:
    """Appends to one file.

    Args:
        path: The file; made where it is missing, readable by its owner alone.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path).absolute()

    def refuse_below(self, folder: Path) -> None:
        """Check that the file is not where code writes files, which could replace it. This blocks.

        Raises:
            InvalidArgumentError: It is below that folder.
        """
        if self._path.resolve().is_relative_to(folder.resolve()):
            raise InvalidArgumentError(
                f"audit_log is {str(self._path)!r}, below the work folder {str(folder)!r}, where code writes files and "
                "could replace it: give a file elsewhere."
            )

    async def check(self) -> None:
        """Open the file once, so that code does not run where it could not be recorded.

        Raises:
            SandboxError: It cannot be written.
        """
        await self._write([])

    async def record(
        self,
        run: AuditedRun,
        *,
        began: float,
        seconds: float,
        exit_code: int | None,
        status: str,
        ended_by: str,
        connections: Iterable[ConnectionAttempt],
    ) -> None:
        """Append a run and its connections.

        Args:
            run: What ran.
            began: Seconds since 1970.
            seconds: How long it took.
            exit_code: How it ended; None where it has no result, as after a cancellation.
            status: Its status; in the place of one without a result, why.
            ended_by: The limit that it met; empty for none.
            connections: What it tried to connect to.

        Raises:
            SandboxError: They cannot be written.
        """
        number = secrets.token_hex(8)
        tried = list(connections)
        what = {
            "event": "run",
            "run": number,
            "time": _utc(began),
            "executor": run.executor,
            "sandbox": run.sandbox,
            "language": run.language,
            "code_bytes": len(run.source),
            "code_sha256": hashlib.sha256(run.source).hexdigest(),
            "status": status,
            "exit_code": exit_code,
            "ended_by": ended_by,
            "seconds": round(seconds, 6),
            "connections": len(tried),
        }
        await uninterrupted(self._write([what, *(_as_line(attempt, number) for attempt in tried)]))

    async def _write(self, records: Iterable[Mapping[str, object]]) -> None:
        try:
            await asyncio.to_thread(self._append, [json.dumps(record).encode() + b"\n" for record in records])
        except OSError as error:
            raise SandboxError(
                f"The audit log {self._path} cannot be written ({error.strerror or error}). Give another audit_log, or "
                "make room for it."
            ) from error

    def _append(self, lines: Iterable[bytes]) -> None:
        # Opened each time: a log that was renamed in the meantime, as programs that rotate logs do, is made anew. Not
        # through a link, which in a folder that others can write would choose another file.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        log = os.open(self._path, flags, _FOR_ITS_OWNER_ALONE)
        try:
            mode = os.fstat(log).st_mode
            if not stat.S_ISREG(mode):
                raise OSError(f"{self._path} is not a regular file")
            if os.name == "posix" and stat.S_IMODE(mode) != _FOR_ITS_OWNER_ALONE:
                os.fchmod(log, _FOR_ITS_OWNER_ALONE)
            for line in lines:
                if (written := os.write(log, line)) != len(line):
                    _take_back(log, written)
                    raise OSError(errno.ENOSPC, "only a part of a line could be written")
        finally:
            os.close(log)


def _take_back(log: int, written: int) -> None:
    """Remove the part of a line that was just written: the next line would be appended to it."""
    end = os.lseek(log, 0, os.SEEK_CUR)
    with suppress(OSError):  # a file that can only be appended to
        if os.fstat(log).st_size == end:
            os.ftruncate(log, end - written)


class Stopwatch:
    """When something began, and how long ago."""

    def __init__(self) -> None:
        self.began = time.time()
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self._start


def _as_line(attempt: ConnectionAttempt, run: str) -> dict[str, object]:
    return {
        "event": "connection",
        "run": run,
        "time": _utc(attempt.started),
        "host": attempt.host,
        "port": attempt.port,
        "address": attempt.address,
        "outcome": attempt.outcome,
        "reason": attempt.reason,
        "bytes_sent": attempt.bytes_sent,
        "bytes_received": attempt.bytes_received,
        "seconds": round(attempt.seconds, 6),
    }


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
