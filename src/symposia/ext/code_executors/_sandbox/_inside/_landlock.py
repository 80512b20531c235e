"""Landlock: a second layer for files, sockets and signals, where the kernel has it (5.13 and later).

The mounts decide what is there, and the modes what may be written. This layer does not depend on either: were a mount
left writable, or the user id worth something, a process could still change nothing outside its folders. It also covers
what a read-only mount does not: a FIFO in mounted data can be written through it, as that changes no file system.

The interface has versions, and the kernel says which it knows, so what an old kernel lacks is left out and the rest
holds (landlock(7)). The rules are inherited by fork and exec and cannot be lifted.
"""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH112, PTH208

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterable

# The same numbers on every machine, as all calls since Linux 5.1 have.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
_PATH_BENEATH, _NET_PORT = 1, 2

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_CHANGES = sum(1 << bit for bit in range(4, 13))  # removing and making entries of every kind
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_FILES_IN_VERSION_1 = _EXECUTE | _WRITE_FILE | _READ_FILE | _READ_DIR | _CHANGES
_FILES_ADDED = {2: _REFER, 3: _TRUNCATE, 5: _IOCTL_DEV}
_NETWORK_SINCE, _ALL_TCP, _CONNECT_TCP = 4, 0b11, 0b10  # bind and connect
_SCOPES_SINCE, _ALL_SCOPES = 6, 0b11  # abstract sockets and signals stay within the sandbox

_READ = _EXECUTE | _READ_FILE | _READ_DIR
_USE = _READ | _WRITE_FILE | _TRUNCATE | _IOCTL_DEV  # of files that exist: devices, and a process's own in /proc
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV  # what a rule for a single file may hold
_EVERYTHING = _FILES_IN_VERSION_1 | _REFER | _TRUNCATE | _IOCTL_DEV

_IN_USE = ("/dev", "/proc")
_HIDDEN = ("/sys",)  # an engine shows the machine's hardware there
_NOT_THERE = (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM)  # no Landlock, switched off, or an engine's filter

_libc = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


class _Port(ctypes.Structure):
    _fields_ = [("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64)]


def restrict(writable: Iterable[str], tcp_port: int = 0) -> int:
    """Let this process, and all that it starts, change files below some folders only, and connect to one port.

    What is below the root may be read and run, but for the files of /sys.

    Args:
        writable: The folders.
        tcp_port: The port, on any machine that can be reached; 0 for none.

    Returns:
        The version of Landlock that holds; 0 where there is none.

    Raises:
        OSError: The kernel has it, and refused a rule.
    """
    try:
        version = _call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    except OSError as error:
        if error.errno in _NOT_THERE:
            return 0
        raise
    ruleset = _make_ruleset(version)
    handled = _handled(version)
    try:
        for folder, allowed in _rules(writable):
            _allow(ruleset, folder, allowed & handled)
        if tcp_port and version >= _NETWORK_SINCE:
            _add_rule(ruleset, _NET_PORT, _Port(_CONNECT_TCP, tcp_port))
        _call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)
    return version


def _rules(writable: Iterable[str]) -> list[tuple[str, int]]:
    """What may be done below which folder. Rules add up, so that the root itself allows what holds everywhere."""
    entries = ["/" + name for name in os.listdir("/")]
    readable = [(entry, _READ) for entry in entries if entry not in (*_IN_USE, *_HIDDEN)]
    return [
        ("/", _READ_DIR),
        *readable,
        *((folder, _USE) for folder in _IN_USE),
        *((folder, _EVERYTHING) for folder in writable),
    ]


def _handled(version: int) -> int:
    added = (rights for since, rights in _FILES_ADDED.items() if version >= since)
    return _FILES_IN_VERSION_1 | sum(added)


def _make_ruleset(version: int) -> int:
    # Older kernels take a longer structure as long as what they do not know is zero.
    attributes = _Ruleset(
        _handled(version),
        _ALL_TCP if version >= _NETWORK_SINCE else 0,
        _ALL_SCOPES if version >= _SCOPES_SINCE else 0,
    )
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    return _call(_CREATE_RULESET, ctypes.byref(attributes), size, ctypes.c_uint32(0))


def _allow(ruleset: int, path: str, allowed: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:  # a link that leads nowhere
        return
    try:
        if not os.path.isdir(path):
            allowed &= _OF_FILES
        _add_rule(ruleset, _PATH_BENEATH, _Beneath(allowed, place))
    finally:
        os.close(place)


def _add_rule(ruleset: int, kind: int, rule: ctypes.Structure) -> None:
    _call(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(kind), ctypes.byref(rule), ctypes.c_uint32(0))


def _call(number: int, *arguments: object) -> int:
    result: int = _libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock: {os.strerror(code)}")
    return result
