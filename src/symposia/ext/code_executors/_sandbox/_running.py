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


def running_sandboxes(kind: str) -> list[RunningSandbox]:
    """The sandboxes of one kind, named by the processes of their launchers."""
    processes = list(_processes())
    children = defaultdict[int, list[int]](list)
    for process in processes:
        children[process.parent].append(process.pid)
    now = float((_PROC / "uptime").read_text(encoding="ascii").split()[0])
    return [
        RunningSandbox(
            kind=kind,
            name=str(process.pid),
            owner=process.parent,
            seconds=max(0.0, now - process.started),
            memory_bytes=sum(_memory_of(pid) for pid in _below(process.pid, children)),
        )
        for process in processes
        if process.arguments[-2:] == marked_arguments(kind)
    ]


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
