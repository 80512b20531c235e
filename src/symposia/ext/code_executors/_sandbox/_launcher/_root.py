"""Builds the root file system of a sandbox from a mount plan, in a mount namespace of its own, and moves into it.

The old root is unmounted after ``pivot_root``, so that no path leads to the host. ``chroot`` would leave the host's
mounts in the namespace, in reach of a process that regains the right to change its root. The plan is an allow-list:
the root starts empty, and what is not in the plan is not there. Binding the host's root and covering what is secret
would have to know all that is.
"""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH102, PTH103, PTH106, PTH110, PTH112, PTH120, PTH123, PTH211

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from . import _kernel as kernel

_STAGE = "/tmp"  # noqa: S108 - any folder will do: it is covered in this mount namespace only
_OLD = "/.old"
_DEVICES = ("null", "zero", "full", "random", "urandom")
_STREAMS = ("stdin", "stdout", "stderr")
_READ_ONLY_IN_PROC = ("sys", "sysrq-trigger", "irq", "bus", "fs")
_HIDDEN_IN_PROC = ("kcore", "keys", "timer_list", "sched_debug", "latency_stats", "cmdline")
_OCTAL = re.compile(r"\\(\d{3})")  # how mountinfo writes spaces
_SAFE = kernel.MS_NOSUID | kernel.MS_NODEV
_RELATIME_IN_STATVFS = 4096
_SAME_IN_STATVFS = 1 | 2 | 4 | 8 | 1024 | 2048  # ro, nosuid, nodev, noexec, noatime, nodiratime, as mount has them

Plan = Sequence[Mapping[str, object]]


def move_into_new_root(plan: Plan, owner: int) -> None:
    """Build the root and leave the old one behind.

    Args:
        plan: What it holds (`_mounts.as_json`).
        owner: Owns the folders that can be written.
    """
    kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("root", _STAGE, "tmpfs", _SAFE, "mode=0755,size=1m")
    os.mkdir(_STAGE + _OLD)
    kernel.pivot_root(_STAGE, _STAGE + _OLD)
    os.chdir("/")
    _mount_proc()
    _make_dev()
    for entry in plan:
        _add({name: str(value) for name, value in entry.items()}, owner)
    kernel.unmount(_OLD)
    os.rmdir(_OLD)
    # Read-only by the mount (MS_BIND) and not by its file system, which an ordinary user may not change.
    for point in ("/dev", "/"):
        kernel.mount("", point, flags=kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | _SAFE)


def _add(entry: Mapping[str, str], owner: int) -> None:
    kind, target = entry["kind"], entry["target"]
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if kind == "bind":
        bind(_OLD + entry["source"], target)
    elif kind == "link":
        os.symlink(entry["source"], target)
    elif kind == "file":
        with open(target, "w", encoding="utf-8") as file:
            file.write(entry["text"])
    else:
        os.makedirs(target, exist_ok=True)
        options = f"mode=0700,uid={owner},gid={owner},size={entry['size']},nr_inodes={entry['inodes']}"
        kernel.mount("space", target, "tmpfs", _SAFE, options)


def bind(source: str, target: str) -> None:
    """Show `source` at `target` too, read-only, with all that is mounted below it."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        _touch(target)
    kernel.mount(source, target, flags=kernel.MS_BIND | kernel.MS_REC)
    for point in _mount_points(target):
        _add_flags(point, kernel.MS_RDONLY | _SAFE)


def _add_flags(point: str, flags: int) -> None:
    """Remount with what is set already: inside a user namespace the kernel refuses to lift any of it."""
    now = os.statvfs(point).f_flag
    flags |= now & _SAME_IN_STATVFS
    if now & _RELATIME_IN_STATVFS:
        flags |= kernel.MS_RELATIME
    kernel.mount("", point, flags=kernel.MS_REMOUNT | kernel.MS_BIND | flags)


def _mount_points(folder: str) -> list[str]:
    """The mounts at and below `folder`."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        points = [_OCTAL.sub(lambda code: chr(int(code[1], 8)), line.split()[4]) for line in file]
    return [point for point in points if point == folder or point.startswith(folder + "/")]


def _mount_proc() -> None:
    os.mkdir("/proc")
    kernel.mount("proc", "/proc", "proc", _SAFE | kernel.MS_NOEXEC)
    for name in _READ_ONLY_IN_PROC:
        if os.path.exists(f"/proc/{name}"):
            bind(f"/proc/{name}", f"/proc/{name}")
    for name in _HIDDEN_IN_PROC:
        if os.path.exists(f"/proc/{name}"):
            kernel.mount(f"{_OLD}/dev/null", f"/proc/{name}", flags=kernel.MS_BIND)


def _make_dev() -> None:
    os.mkdir("/dev")
    kernel.mount("dev", "/dev", "tmpfs", kernel.MS_NOSUID, "mode=0755,size=64k")
    for name in _DEVICES:
        _touch(f"/dev/{name}")
        kernel.mount(f"{_OLD}/dev/{name}", f"/dev/{name}", flags=kernel.MS_BIND)
    os.symlink("/proc/self/fd", "/dev/fd")
    for number, name in enumerate(_STREAMS):
        os.symlink(f"/proc/self/fd/{number}", f"/dev/{name}")


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644))
