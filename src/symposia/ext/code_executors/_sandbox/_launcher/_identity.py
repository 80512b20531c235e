"""Which user a sandbox runs as: nobody else's on this machine, and nobody at all outside of it."""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH123

from __future__ import annotations

import os

from ._kernel import CLONE_NEWUSER, own_proc_files, unshare

_FIRST_UID = 1_900_000_000  # above what systemd, podman and /etc/subuid hand out
SANDBOX_UID = 1000  # what it looks like inside


def is_root() -> bool:
    """Whether this process can take any user id."""
    return os.geteuid() == 0


def own_uid() -> int:
    """A user id that only the sandbox of this process has: root's choice, as others cannot choose."""
    return _FIRST_UID + os.getpid()


def become(uid: int) -> None:
    """Take a user id for good, as root."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def enter_user_namespace(flags: int = 0) -> None:
    """Enter a user namespace in which there is one user, and this process is it; and other namespaces with it."""
    uid, gid = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER | flags)
    own_proc_files()
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{SANDBOX_UID} {uid} 1"),
        ("gid_map", f"{SANDBOX_UID} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
