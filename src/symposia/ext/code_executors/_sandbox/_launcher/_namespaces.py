"""A sandbox of namespaces alone: needs nothing but the kernel, as root and as an ordinary user.

The order decides what is still allowed at each step:

1. A PID namespace is unshared before the fork, as it begins with the next child (unshare(2)): that child is its PID 1,
   and becomes the server. When PID 1 ends, the kernel kills everything else in the namespace (pid_namespaces(7)), so
   the sandbox needs no list of processes to be ended by.
2. The child unshares the other namespaces, so that the keeper outside keeps the host's control groups and files.
3. It builds its root while the host's files can still be seen, and unmounts these last.
4. Root takes the sandbox's user id and enters a user namespace at the very end. The other order, a user namespace
   first, is what an ordinary user has to take; for root it would give up the right to bind what only root can read,
   and to take a user id of the sandbox's own.
5. Capabilities go last of all: each step before needs some. The system call filter is put on by the server itself,
   since it forbids mount, unshare and setns.
"""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH102, PTH103, PTH106, PTH110, PTH112, PTH120, PTH123, PTH211

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping, Sequence
from typing import NoReturn, cast

from . import HIDDEN_IN_PROC, READ_ONLY_IN_PROC, SANDBOX_UID, Plan
from . import _kernel as kernel
from ._cgroups import Groups, groups_for
from ._data import open_data, show_data
from ._identity import become, enter_user_namespace, own_uid
from ._keeper import keep

# No time namespace: its clocks could be shifted, which is of no use here, and old kernels lack it.
_OWN_VIEWS = (
    kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS | kernel.CLONE_NEWCGROUP
)

_STAGE = "/tmp"  # noqa: S108 - any folder will do: it is covered in this mount namespace only
_OLD = "/.old"
_DEVICES = ("null", "zero", "full", "random", "urandom")
_STREAMS = ("stdin", "stdout", "stderr")
_OCTAL = re.compile(r"\\(\d{3})")  # how mountinfo writes spaces
_SAFE = kernel.MS_NOSUID | kernel.MS_NODEV
_RELATIME_IN_STATVFS = 4096
_SAME_IN_STATVFS = 1 | 2 | 4 | 8 | 1024 | 2048  # ro, nosuid, nodev, noexec, noatime, nodiratime, as mount has them


def main(request: Mapping[str, object]) -> NoReturn:
    """Make a sandbox and stay until it is gone.

    Args:
        request: ``mounts``, a plan; ``memory_bytes``, ``cpus`` and ``processes``; ``loopback``, whether programs
            may connect to each other by it; ``server``, what becomes PID 1, and
            ``environment``, the variables that this needs.
    """
    groups = groups_for(request)
    uid = own_uid()
    if uid is None:
        # Both at once: without the user namespace, an ordinary user may make no other (user_namespaces(7)).
        enter_user_namespace(kernel.CLONE_NEWPID)
    else:
        kernel.unshare(kernel.CLONE_NEWPID)
    keep(lambda: _become_sandbox(request, uid, groups), groups)


def _become_sandbox(request: Mapping[str, object], uid: int | None, groups: Groups) -> NoReturn:
    """As PID 1 of its namespace, make the others, leave the host's files, give up all rights, and become the server."""
    groups.show_memory_counter()  # while the host's /sys/fs/cgroup is still there
    leave_host(request, SANDBOX_UID if uid is None else uid)
    if uid is not None:
        become(uid)
        # The namespaces above belong to the user namespace of the host. From one below it, no capability counts for
        # anything over them, should a process ever regain one.
        enter_user_namespace()
    kernel.drop_capabilities()
    os.umask(0o022)
    server = cast("Sequence[str]", request["server"])
    # By an exec, though this process could serve as well: the server is then the Python that the blocks are to have,
    # with its packages, and nothing of the host's memory is left in it.
    os.execve(server[0], [*server], dict(cast("Mapping[str, str]", request["environment"])))  # noqa: S606 - no shell


def leave_host(request: Mapping[str, object], owner: int, *, masked: bool = True) -> None:
    """Make the namespaces beside that of processes, and leave the files that there were for the planned ones.

    Args:
        request: Has the plan, and whether there is a loopback.
        owner: Owns the folders that can be written.
        masked: See `move_into_new_root`.
    """
    kernel.unshare(_OWN_VIEWS)
    socket.sethostname("sandbox")
    if request["loopback"]:
        kernel.bring_up_loopback()
    move_into_new_root(cast("Plan", request["mounts"]), owner, masked=masked)


def move_into_new_root(plan: Plan, owner: int, *, masked: bool = True) -> None:
    """Build the root and leave the old one behind.

    The old root is unmounted after ``pivot_root``, so that no path leads to the host. ``chroot`` would leave the
    host's mounts in the namespace, in reach of a process that regains the right to change its root (chroot(2)).

    Args:
        plan: What it holds (`_mounts.as_json`).
        owner: Owns the folders that can be written.
        masked: Whether what is the machine's in /proc is hidden or read-only. The kernel lets nobody without rights on
            the machine mount another /proc where only such a one can be seen.
    """
    # First of all: with the propagation that systemd sets, every mount below would appear on the host too.
    kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("root", _STAGE, "tmpfs", _SAFE, "mode=0755,size=1m")  # pivot_root(2) wants a mount point
    os.mkdir(_STAGE + _OLD)
    # Pivoted before it is filled, so that a source and its target have different names: a bind of /tmp/x onto the stage
    # in /tmp would find the stage.
    kernel.pivot_root(_STAGE, _STAGE + _OLD)
    os.chdir("/")
    # First, as the kernel lets an ordinary user mount a proc only while one is visible of which nothing is hidden, and
    # that goes with the old root.
    _mount_proc(masked=masked)
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
    elif kind == "data":
        show_data(open_data(_OLD + entry["source"]), target, "", bind)
    elif kind == "empty":
        kernel.mount("empty", target, "tmpfs", _SAFE | kernel.MS_RDONLY, "mode=0755,size=4k,nr_inodes=2")
    elif kind == "symlink":
        os.symlink(entry["source"], target)
    elif kind == "file":
        with open(target, "w", encoding="utf-8") as file:
            file.write(entry["text"])
    else:
        os.makedirs(target, exist_ok=True)
        options = f"mode=0700,uid={owner},gid={owner},size={entry['size']},nr_inodes={entry['inodes']}"
        kernel.mount("tmpfs", target, "tmpfs", _SAFE, options)


def bind(source: str, target: str) -> None:
    """Show `source` at `target` too, read-only, with all that is mounted below it.

    A bind ignores MS_RDONLY, so it takes a second call to make it read-only. mount(2) changes a single mount: where
    there is no newer call, each that came along from below is found and changed by itself. The list of mounts takes the
    kernel a millisecond, which would be half of the time that a root takes.
    """
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        _touch(target)
    # Recursive, since mounts that came into this namespace together stay together for an ordinary user: a bind without
    # those below would show what they hide, and fails (mount_namespaces(7), "Restrictions on mount namespaces").
    kernel.mount(source, target, flags=kernel.MS_BIND | kernel.MS_REC)
    if not kernel.protect_mounts(target):
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


def _mount_proc(*, masked: bool) -> None:
    os.mkdir("/proc")
    kernel.mount("proc", "/proc", "proc", _SAFE | kernel.MS_NOEXEC)
    if not masked:
        return
    for name in READ_ONLY_IN_PROC:
        if os.path.exists(f"/proc/{name}"):
            bind(f"/proc/{name}", f"/proc/{name}")
    for name in HIDDEN_IN_PROC:
        if os.path.exists(f"/proc/{name}"):
            kernel.mount(f"{_OLD}/dev/null", f"/proc/{name}", flags=kernel.MS_BIND)


def _make_dev() -> None:
    """A /dev of the five devices that programs need, bound from the host's.

    mknod makes no devices in a user namespace, whatever the capabilities there. No pty and no console: a block has no
    terminal.
    """
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
