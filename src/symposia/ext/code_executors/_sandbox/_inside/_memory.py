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
_PROPORTIONAL = re.compile(rb"^(?:Pss|SwapPss):\s+(\d+) kB$", re.MULTILINE)
_SOCKETS = re.compile(rb"^sockets: used (\d+)", re.MULTILINE)
# The default of net.core.wmem_default, above which the filter lets no socket go, and the message that is let in last.
_BYTES_OF_SOCKET = 212_992 + 64 * 1024


class MemoryWatch(Protocol):
    """Reports whether memory ran out since `start`.

    Attributes:
        enforced: Whether the kernel holds the limit itself.
    """

    enforced: bool

    def start(self) -> None:
        """Start the count for a new block."""
        ...

    def exceeded(self) -> bool:
        """Whether the limit was reached since then."""
        ...

    def is_over(self) -> bool:
        """Whether more than the limit is in use now. Never so where the kernel holds it."""
        ...


class CgroupMemory:
    """The limit of a memory cgroup, observed by its counter of kills.

    Args:
        counter_fd: An open ``memory.events`` (cgroup v2) or ``memory.oom_control`` (v1).
    """

    def __init__(self, counter_fd: int) -> None:
        self.enforced = True
        self._counter_fd = counter_fd
        self._kills_before = self._kills()

    def start(self) -> None:
        self._kills_before = self._kills()

    def exceeded(self) -> bool:
        return self._kills() > self._kills_before

    def is_over(self) -> bool:
        return False

    def _kills(self) -> int:
        found = _KILLS.search(os.pread(self._counter_fd, 4096, 0))
        return int(found.group(1)) if found else 0


class SampledMemory:
    """A limit that no cgroup enforces: the server adds up the memory of all processes at intervals.

    What processes share is counted once for each of them in the quick sum, so that only goes to show that there is
    nothing to fear; the exact sum, which is slow, decides. A process whose map cannot be read is counted in full there:
    the filter keeps a process from making itself unreadable, but the kernel also does so to one that runs a program it
    may not read. Sockets are counted by their number, as no map shows what waits in them, at the most that each can
    hold; they are counted until their last byte is gone, also where no process has them any more.

    What remains is for a memory cgroup alone (`SECURITY.md`): what is taken and given back between two looks, and small
    objects of the kernel. RLIMIT_AS would not help, as it does not add up over processes.

    Args:
        limit: Bytes that all processes but the server may use together.
        processes: Processes that have ended since the last look report the largest memory that they used.
    """

    def __init__(self, limit: int, processes: Processes) -> None:
        self.enforced = False
        self._limit = limit
        self._processes = processes

    def start(self) -> None:
        pass

    def exceeded(self) -> bool:
        return self._processes.usage.peak_memory_bytes > self._limit or self.is_over()

    def is_over(self) -> bool:
        allowed = self._limit - _socket_bytes()
        return _sum(_resident_bytes) > allowed and _sum(_proportional_bytes) > allowed


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
    """All that a process has in memory. Every process may read this of every other."""
    with open(process + "/statm", "rb") as file:
        size, resident = file.read().split()[:2]
    if size != b"0":
        return int(resident) * _PAGE
    # A kernel thread's way to write 0, or that of a process whose first thread has ended while others go on.
    threads = os.listdir(process + "/task")
    return max((_resident_bytes_of_thread(f"{process}/task/{thread}") for thread in threads), default=0)


def _resident_bytes_of_thread(thread: str) -> int:
    with open(thread + "/statm", "rb") as file:
        return int(file.read().split()[1]) * _PAGE


def _proportional_bytes(process: str) -> int:
    """The same, with a share of what it shares with others, and with what was swapped out."""
    try:
        with open(process + "/smaps_rollup", "rb") as file:
            content = file.read()
    except OSError:  # unreadable, or without a first thread
        content = b""
    found: list[bytes] = _PROPORTIONAL.findall(content)
    return sum(map(int, found)) * 1024 if found else _resident_bytes(process)


def _socket_bytes() -> int:
    """The most that can wait in the sockets of this network namespace, which is the sandbox's own."""
    try:
        with open("/proc/self/net/sockstat", "rb") as file:
            found = _SOCKETS.search(file.read())
    except OSError:  # a kernel without networking has no sockets that hold anything
        return 0
    return int(found.group(1)) * _BYTES_OF_SOCKET if found else 0
