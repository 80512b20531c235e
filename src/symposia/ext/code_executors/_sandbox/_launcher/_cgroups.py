"""Control groups of a sandbox, where this process may make some: version 1, version 2, or both side by side.

They are made below the caller's own group, or, in version 2, where the kernel wants it so, beside it: limits that are
set on the caller hold for its sandboxes too. Where none can be made, the server counts by itself, and limits for each
user id stand in.

Asking systemd for a scope was rejected: there is none in most containers, and the answer takes a message bus. A group
is a folder, which only processes that may write its parent can make: root, and the owner of a delegated version 2 tree.

What the groups cannot do: version 1 does not count the buffers of UDP sockets as memory; no version kills only what
broke the limit. The kernel kills the process with the highest score, which is why blocks raise theirs (`_confinement`),
and why ``memory.oom.group``, which would take the server as well, stays off.
"""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH102, PTH106, PTH110, PTH120, PTH123, PTH208

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple, cast

from . import MEMORY_COUNTER_FD

# By the process that made it: of a launcher, and of the keeper of a zygote, which has many. Versions before the second
# take any name that begins as the first for that of a launcher, and remove what they find empty.
_NAME = re.compile(r"symposia-(\d+)|symposia\.(\d+)\.\d+")
_CPU_PERIOD = 100_000  # microseconds, the kernel's default
_REMOVAL_SECONDS = 1.0  # a process may still be leaving its group for a moment after it has been waited for
_REMOVAL_PAUSE_SECONDS = 0.005


class Limits(NamedTuple):
    """What everything in the sandbox together may use."""

    memory_bytes: int
    cpus: float
    processes: int


class Hierarchy(NamedTuple):
    """A mounted tree of groups: the folder of this process's own group in it, and what it can control."""

    version: int
    root: str
    own: str
    controllers: frozenset[str]


class Groups(NamedTuple):
    """The groups of one sandbox.

    Attributes:
        folders: One for each hierarchy.
        limited: The controllers in use, of ``memory``, ``pids`` and ``cpu``.
        memory_counter: The file in which the kernel counts its kills, if memory is limited.
        processors: On how many its processes may run, if no group limits their time.
    """

    folders: tuple[str, ...] = ()
    limited: frozenset[str] = frozenset()
    memory_counter: str = ""
    processors: int | None = None

    def join(self, pid: int = 0) -> None:
        """Put a process, by default this one, and so all that it will start, into the groups."""
        for folder in self.folders:
            _write(folder, "cgroup.procs", str(pid))  # 0 is the process that writes (cgroups(7))
        # Whole processors are all that can be given out without a group. Each sandbox begins at another one, and the
        # seccomp filter keeps it from changing that. RLIMIT_CPU is no substitute: it ends a process after a total, and
        # says nothing of how much is used at a time.
        if self.processors is not None:
            all_processors = sorted(os.sched_getaffinity(0))
            first = (pid or os.getpid()) % len(all_processors)
            os.sched_setaffinity(pid, (all_processors * 2)[first : first + self.processors])

    def show_memory_counter(self) -> None:
        """Open the kernel's counter where the server, which sees no groups, looks for it.

        A descriptor that can only be read, and that blocks do not inherit. Mounting the groups into the sandbox would
        show a block those of the host.
        """
        for counter in self.open_memory_counter():
            os.dup2(counter, MEMORY_COUNTER_FD)
            os.close(counter)

    def open_memory_counter(self) -> list[int]:
        """Open the kernel's counter for reading, if there is one."""
        return [os.open(self.memory_counter, os.O_RDONLY)] if self.memory_counter else []

    def memory_ran_out(self) -> bool:
        """Whether the kernel has killed something for want of memory."""
        kills = [line.split()[1] for line in _read(self.memory_counter).splitlines() if line.startswith("oom_kill ")]
        return any(count != "0" for count in kills)

    def remove(self) -> None:
        """Remove the groups; their last process may just be ending.

        Trying again is simpler than waiting for the kernel to report it, which only version 2 does (cgroup.events).
        Where the time is up the group stays behind, empty, for the next launcher to remove.
        """
        deadline = time.monotonic() + _REMOVAL_SECONDS
        for folder in self.folders:
            while not _removed(folder) and time.monotonic() < deadline:
                time.sleep(_REMOVAL_PAUSE_SECONDS)


def groups_for(request: Mapping[str, object], number: int = 0) -> Groups:
    """The groups for a launcher's limits: ``memory_bytes``, ``cpus`` and ``processes``.

    Args:
        request: Has the limits.
        number: Which sandbox of this process they are for.
    """
    memory_bytes, processes = cast("int", request["memory_bytes"]), cast("int", request["processes"])
    return make_groups(Limits(memory_bytes, cast("float", request["cpus"]), processes), own_hierarchies(), number)


def make_groups(limits: Limits, hierarchies: Iterable[Hierarchy], number: int = 0) -> Groups:
    """Make the groups that this process may make, for a sandbox of this process."""
    name = f"symposia.{os.getpid()}.{number}" if number else f"symposia-{os.getpid()}"
    made = [_make_in(hierarchy, limits, name) for hierarchy in hierarchies]
    limited = frozenset[str]().union(*(groups.limited for groups in made))
    return Groups(
        folders=tuple(folder for groups in made for folder in groups.folders),
        limited=limited,
        memory_counter=next((groups.memory_counter for groups in made if groups.memory_counter), ""),
        processors=None if "cpu" in limited else math.ceil(limits.cpus),
    )


def _make_in(hierarchy: Hierarchy, limits: Limits, name: str) -> Groups:
    make = _make_in_version_1 if hierarchy.version == 1 else _make_in_version_2
    return make(hierarchy, limits, name)


def _make_in_version_1(hierarchy: Hierarchy, limits: Limits, name: str) -> Groups:
    folder = _new_folder([hierarchy.own], name)
    if folder is None:
        return Groups()
    limited = set[str]()
    if "memory" in hierarchy.controllers and _write_if_possible(folder, "memory.limit_in_bytes", limits.memory_bytes):
        limited.add("memory")
        # After the limit of memory alone, below which the kernel does not let it go. Not every kernel counts swap.
        _write_if_possible(folder, "memory.memsw.limit_in_bytes", limits.memory_bytes)
        _write_if_possible(folder, "memory.swappiness", 0)
    if "pids" in hierarchy.controllers and _write_if_possible(folder, "pids.max", limits.processes):
        limited.add("pids")
    if "cpu" in hierarchy.controllers and _write_if_possible(
        folder, "cpu.cfs_quota_us", round(limits.cpus * _CPU_PERIOD)
    ):
        limited.add("cpu")
    return _unless_useless(folder, limited, "memory.oom_control")


def _make_in_version_2(hierarchy: Hierarchy, limits: Limits, name: str) -> Groups:
    """Make a group where the kernel allows one.

    A group may hold processes or give its controllers to groups below it, not both; the root may do both (cgroups(7),
    the "no internal processes" rule). So the caller's own group will do only if it is the root. Moving the caller
    itself one down was rejected: other processes may share its group, and its owner did not ask for that.
    """
    folder = _new_folder(_ancestors_that_delegate(hierarchy), name)
    if folder is None:
        return Groups()
    limited = set[str]()
    if _write_if_possible(folder, "memory.max", limits.memory_bytes):
        limited.add("memory")
        _write_if_possible(folder, "memory.swap.max", 0)
    if _write_if_possible(folder, "pids.max", limits.processes):
        limited.add("pids")
    if _write_if_possible(folder, "cpu.max", f"{round(limits.cpus * _CPU_PERIOD)} {_CPU_PERIOD}"):
        limited.add("cpu")
    return _unless_useless(folder, limited, "memory.events")


def _ancestors_that_delegate(hierarchy: Hierarchy) -> Iterator[str]:
    """The own group, if it now does, and those above it, from below, that hand the memory controller down."""
    folder = hierarchy.own
    for controller in ("memory", "pids", "cpu"):
        _write_if_possible(folder, "cgroup.subtree_control", f"+{controller}")
    while folder.startswith(hierarchy.root):
        if "memory" in _read(f"{folder}/cgroup.subtree_control").split():
            yield folder
        folder = os.path.dirname(folder)


def _new_folder(parents: Iterable[str], name: str) -> str | None:
    """A new group in the first of `parents` that takes one, and from which this process may be moved into it."""
    for parent in parents:
        if not os.access(f"{parent}/cgroup.procs", os.W_OK):
            continue
        _remove_left_over_in(parent)
        _removed(f"{parent}/{name}")  # of an earlier process of this number
        if _made(f"{parent}/{name}"):
            return f"{parent}/{name}"
    return None


def remove_left_over_groups() -> list[str]:
    """Remove the groups of launchers that were killed, and so could not do it; return those that are gone.

    A group can be removed only when nothing runs in it, so that this ends no process, whoever has its number.
    """
    removed: list[str] = []
    for hierarchy in own_hierarchies():
        folder = hierarchy.own
        while folder.startswith(hierarchy.root):
            removed += _remove_left_over_in(folder)
            folder = os.path.dirname(folder)
    return removed


def _remove_left_over_in(parent: str) -> list[str]:
    try:
        names = os.listdir(parent)
    except OSError:  # not mounted here
        return []
    own = [found for name in names if (found := _NAME.fullmatch(name))]
    dead = [found[0] for found in own if not os.path.exists(f"/proc/{found[1] or found[2]}")]
    return [f"{parent}/{name}" for name in dead if _removed(f"{parent}/{name}")]


def _unless_useless(folder: str, limited: set[str], counter: str) -> Groups:
    """The group, if it limits something; it is removed else."""
    if limited:
        return Groups((folder,), frozenset(limited), f"{folder}/{counter}" if "memory" in limited else "")
    _removed(folder)
    return Groups()


def own_hierarchies() -> list[Hierarchy]:
    """The mounted hierarchies that can limit something, with this process's place in each."""
    return list(parse_hierarchies(_read("/proc/self/mountinfo"), _read("/proc/self/cgroup")))


def parse_hierarchies(mounts: str, groups: str) -> Iterator[Hierarchy]:
    """The same, from the files of a process in /proc."""
    own = dict(_parse_groups(groups))
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        root, point = before.split()[3:5]
        kind, _, options = after.split()[:3]
        if kind == "cgroup":
            controllers = frozenset(options.split(",")) & {"memory", "pids", "cpu"}
        elif kind == "cgroup2":
            controllers = frozenset({""})
        else:
            continue
        path = next((own[controller] for controller in controllers if controller in own), None)
        if path is not None:
            below = path[len(root) :] if root != "/" and path.startswith(root) else path
            folder = (point + "/" + below.strip("/")).rstrip("/")
            yield Hierarchy(2 if kind == "cgroup2" else 1, point, folder, controllers)


def _parse_groups(groups: str) -> Iterator[tuple[str, str]]:
    """A process's groups by controller; version 2 has one for all, under the empty name."""
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, path


def _made(folder: str) -> bool:
    try:
        os.mkdir(folder)
    except OSError:  # not ours to divide
        return False
    return True


def _removed(folder: str) -> bool:
    with suppress(OSError):  # still in use, or gone already
        os.rmdir(folder)
    return not os.path.exists(folder)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:  # a hierarchy or a controller that is not there limits nothing
        return ""


def _write(folder: str, name: str, value: str) -> None:
    with open(f"{folder}/{name}", "w", encoding="ascii") as file:
        file.write(value)


def _write_if_possible(folder: str, name: str, value: str | int) -> bool:
    try:
        _write(folder, name, str(value))
    except OSError:
        return False
    return True
