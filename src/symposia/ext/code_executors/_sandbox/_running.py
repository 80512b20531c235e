"""The sandboxes of launchers that run on this machine, found in the list of processes.

A register in a file was rejected: it would have to be kept true after any death. The kernel's own list is true always,
and each launcher carries a mark on its command line. All of this reads files, and blocks.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from symposia.core.code_executor import RunningSandbox

MARK: Final = "symposia-sandbox"
"""The argument of a launcher before the last, which is the kind of its sandbox. No program reads either."""
_ZYGOTE_MARK: Final = "symposia-zygote"
_PROC: Final = Path("/proc")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_TICKS: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class _Process(NamedTuple):
    pid: int
    parent: int
    started: float
    arguments: list[str]


def marked_arguments(kind: str) -> list[str]:
    """What a launcher of this kind has at the end of its command line."""
    return [MARK, kind]


def zygote_arguments(kind: str) -> list[str]:
    """What the keeper of a zygote, from which sandboxes of this kind are forked, has there."""
    return [_ZYGOTE_MARK, kind]


def running_sandboxes(kind: str) -> list[RunningSandbox]:
    """The sandboxes of one kind, named by their launchers, or by their PID 1 where they were forked."""
    processes = list(_processes())
    children = defaultdict[int, list[int]](list)
    for process in processes:
        children[process.parent].append(process.pid)
    now = float((_PROC / "uptime").read_text(encoding="ascii").split()[0])
    return [
        RunningSandbox(
            kind=kind,
            name=str(process.pid),
            owner=owner,
            seconds=max(0.0, now - process.started),
            memory_bytes=sum(_memory_of(pid) for pid in (*own, *_below(process.pid, children))),
        )
        for process, owner, own in _launchers_and_forks(kind, processes)
    ]


def _launchers_and_forks(kind: str, processes: list[_Process]) -> Iterator[tuple[_Process, int, list[int]]]:
    """The first process of each sandbox, its owner, and itself where it is inside."""
    owners = {process.pid: process.parent for process in processes if process.arguments[-2:] == zygote_arguments(kind)}
    supervisors = {process.pid: owners[process.parent] for process in processes if process.parent in owners}
    for process in processes:
        if process.arguments[-2:] == marked_arguments(kind):
            yield process, process.parent, []
        elif process.parent in supervisors and _is_first_of_namespace(process.pid):
            yield process, supervisors[process.parent], [process.pid]


def _is_first_of_namespace(pid: int) -> bool:
    """Whether a process is PID 1 of its own PID namespace, as a sandbox's server is and the zygote is not."""
    with suppress(OSError):  # it has ended meanwhile
        for line in (_PROC / str(pid) / "status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("NSpid:"):
                return line.split()[-1] == "1"
    return False


def _processes() -> Iterator[_Process]:
    for folder in _PROC.iterdir():
        if not folder.name.isdigit():
            continue
        with suppress(OSError):  # it has ended meanwhile
            fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            arguments = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
            yield _Process(int(folder.name), int(fields[1]), int(fields[19]) / _TICKS, arguments)


def _below(pid: int, children: dict[int, list[int]]) -> Iterator[int]:
    for child in children.get(pid, []):
        yield child
        yield from _below(child, children)


def _memory_of(pid: int) -> int:
    """A process's memory in bytes. What processes share is divided among them, where this process may know of it."""
    with suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with suppress(OSError):  # it has ended meanwhile
        return int((_PROC / str(pid) / "statm").read_text(encoding="ascii").split()[1]) * _PAGE
    return 0
