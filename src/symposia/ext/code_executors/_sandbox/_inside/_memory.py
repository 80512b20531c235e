"""Whether the sandbox has used up its memory: by the kernel's own count where there is one, else by adding up."""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH123, PTH208

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import Protocol

from ._processes import Processes

_PAGE = os.sysconf("SC_PAGE_SIZE")
_KILLS = re.compile(rb"^oom_kill (\d+)$", re.MULTILINE)
_PROPORTIONAL = re.compile(rb"^Pss:\s+(\d+) kB$", re.MULTILINE)


class MemoryWatch(Protocol):
    """Reports whether memory ran out since `start`."""

    def start(self) -> None:
        """Start the count for a new block."""
        ...

    def exceeded(self) -> bool:
        """Whether the limit was reached since then."""
        ...


class CgroupMemory:
    """The limit of a memory cgroup, observed by its counter of kills.

    Args:
        counter_fd: An open ``memory.events`` (cgroup v2) or ``memory.oom_control`` (v1).
    """

    def __init__(self, counter_fd: int) -> None:
        self._counter_fd = counter_fd
        self._kills_before = self._kills()

    def start(self) -> None:
        self._kills_before = self._kills()

    def exceeded(self) -> bool:
        return self._kills() > self._kills_before

    def _kills(self) -> int:
        found = _KILLS.search(os.pread(self._counter_fd, 4096, 0))
        return int(found.group(1)) if found else 0


class SampledMemory:
    """A limit that no cgroup enforces: the server adds up the memory of all processes at intervals.

    What processes share is counted once for each of them in the quick sum, so that only goes to show that there is
    nothing to fear; the exact sum, which is slow, decides.

    It cannot see everything. The map of a process that made itself undumpable cannot be read, and no map shows the
    buffers of sockets; between two looks, memory can be taken and given back. RLIMIT_AS would not help, as it does not
    add up over processes. Only a memory cgroup holds the limit against code that means to break it (`SECURITY.md`).

    Args:
        limit: Bytes that all processes but the server may use together.
        processes: Processes that have ended since the last look report the largest memory that they used.
    """

    def __init__(self, limit: int, processes: Processes) -> None:
        self._limit = limit
        self._processes = processes

    def start(self) -> None:
        pass

    def exceeded(self) -> bool:
        if self._processes.usage.peak_memory_bytes > self._limit:
            return True
        return _sum(_resident_bytes) > self._limit and _sum(_proportional_bytes) > self._limit


def watch_memory(counters: Iterable[str], limit: int, processes: Processes) -> MemoryWatch:
    """A `CgroupMemory` where one of `counters` can be read, else a `SampledMemory`."""
    for path in counters:
        try:
            return CgroupMemory(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        except OSError:  # not this version of cgroups
            continue
    return SampledMemory(limit, processes)


def _sum(measure: Callable[[str], int]) -> int:
    total = 0
    for name in os.listdir("/proc"):
        if name.isdigit() and name != "1":
            try:
                total += measure("/proc/" + name)
            except (OSError, ValueError):  # it has ended meanwhile
                continue
    return total


def _resident_bytes(process: str) -> int:
    with open(process + "/statm", "rb") as file:
        return int(file.read().split()[1]) * _PAGE


def _proportional_bytes(process: str) -> int:
    with open(process + "/smaps_rollup", "rb") as file:
        found = _PROPORTIONAL.search(file.read())
    return int(found.group(1)) * 1024 if found else 0
