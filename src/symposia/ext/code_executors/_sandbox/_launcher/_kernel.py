"""System calls that the standard library of Python 3.11 lacks.

Python has unshare from 3.12 on, and mount, pivot_root, capset and prctl in no version. The programs of util-linux
(``unshare``, ``mount``, ``setpriv``) were rejected: each is one more process, decides on an order of its own, and may
not be installed.
"""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH123

from __future__ import annotations

import ctypes
import os
import platform
import signal
import socket
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MS_RELATIME = 1 << 21
MNT_DETACH = 2

_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
# The same on every machine, as all calls since Linux 5.1: its number, and the options of mount_setattr(2).
_MOUNT_SETATTR, _AT_RECURSIVE = 442, 0x8000
_SAFE_ATTRIBUTES = 0b111  # MOUNT_ATTR_RDONLY, _NOSUID, _NODEV
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount something, or change how it is mounted, as the manual page of mount says."""
    names = [os.fsencode(text) or None for text in (source, target, kind)]
    result = _libc.mount(*names, ctypes.c_ulong(flags), options.encode() or None)
    _check(f"mount {kind or source} on {target}", result)


def protect_mounts(target: str) -> bool:
    """Make a mount and all below it read-only, without devices and set-user-id programs.

    Returns:
        False where the kernel is older than 5.12, or a container's filter does not know the call.
    """
    attributes = (ctypes.c_uint64 * 4)(_SAFE_ATTRIBUTES, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    options = ctypes.c_uint(_AT_RECURSIVE)
    return _libc.syscall(_MOUNT_SETATTR, -1, os.fsencode(target), options, attributes, size) == 0


def unmount(target: str) -> None:
    """Take a mount out of sight at once, although something of it is still in use: what is bound from below it."""
    _check(f"unmount {target}", _libc.umount2(os.fsencode(target), MNT_DETACH))


def unshare(flags: int) -> None:
    """Leave the namespaces of the kinds in `flags` for new ones; a new PID namespace begins with the next child."""
    _check("unshare", _libc.unshare(flags))


def bring_up_loopback() -> None:
    """Let programs connect to 127.0.0.1: a new network namespace has the interface, switched off (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH22x", b"lo", _IFF_UP)
        # By the C library, as fcntl is missing on other systems, where this module is imported for its neighbours.
        _check("bring up loopback", _libc.ioctl(any_socket.fileno(), ctypes.c_ulong(_SIOCSIFFLAGS), request))


def pivot_root(new_root: str, put_old: str) -> None:
    """Make a mount the root, and let the old root be seen in a folder of it."""
    number = _PIVOT_ROOT[platform.machine()]
    _check("pivot_root", _libc.syscall(number, os.fsencode(new_root), os.fsencode(put_old)))


def drop_capabilities() -> None:
    """Give up every capability for good: those in use, and those that a program with capabilities could bring back.

    In this order, as dropping one from the bounding set takes a capability itself (capabilities(7)).
    """
    limit_capabilities()
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)  # and process id 0, which is this one
    nothing = (ctypes.c_uint32 * 6)()  # effective, permitted and inheritable, of 32 capabilities each, twice
    _check("drop all capabilities", _libc.capset(header, nothing))


def limit_capabilities() -> None:
    """Let no program that this process becomes have any capability. Those in use stay.

    This matters for set-user-id programs among the host's that the sandbox can see. The server's no_new_privs stops
    these too; it is the second of two locks.
    """
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:
        last = int(file.read())
    for capability in range(last + 1):
        _check("drop a capability", _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0))
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)  # unchecked: capset clears them as well


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own parent ends."""
    _check("become a subreaper", _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def die_with_parent() -> None:
    """Have this process killed when its parent ends. A change of the user id cancels this (prctl(2))."""
    _check("follow the parent", _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))


def gain_no_privileges() -> None:
    """Run no program with more rights than this one, whatever its file says."""
    _check("set no_new_privs", _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def own_proc_files() -> None:
    """Make /proc/self this process's own again: it belongs to root after the user id has changed (proc(5))."""
    _check("make dumpable", _libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0))


def _check(what: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
