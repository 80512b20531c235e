"""The user that a sandbox runs as: no other process of this machine has its id, and no file belongs to it.

One id for all sandboxes, as ``nobody``, would not do: the kernel counts processes by user id (RLIMIT_NPROC), so one
sandbox could use up the limit of the others; and processes of one id may signal and trace each other. The id is made
from the launcher's process id, which is unique for as long as the launcher lives; a register of ids in use would have
to be cleaned up after launchers that were killed. Ranges of /etc/subuid were rejected, too: they take set-user-id
helpers (newuidmap), and are configured for few users.
"""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH123

from __future__ import annotations

import os

from . import SANDBOX_UID
from ._kernel import CLONE_NEWUSER, own_proc_files, unshare

# Above what systemd, podman and /etc/subuid hand out. The largest process id is 2**22 (proc(5), pid_max), so that the
# last id is still below 2**31, where some programs take ids for negative.
_FIRST_UID = 1_900_000_000
_NEEDED_CAPABILITIES = 1 << 21 | 1 << 7 | 1 << 6  # CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID


def own_uid(pid: int = 0) -> int | None:
    """A user id that only the sandbox of one process has, by default of this one; None where none can be chosen.

    Only root can, and not the root of most containers, who lacks the right, or has some tens of thousands of user ids.
    """
    uid = _FIRST_UID + (pid or os.getpid())
    if _NEEDED_CAPABILITIES & ~_capabilities():
        return None
    with open("/proc/self/uid_map", encoding="ascii") as file:
        ranges = [(int(first), int(count)) for first, _, count in map(str.split, file)]
    return uid if any(first <= uid < first + count for first, count in ranges) else None


def _capabilities() -> int:
    with open("/proc/self/status", encoding="ascii") as file:
        [capabilities] = [line.split()[1] for line in file if line.startswith("CapEff:")]
    return int(capabilities, 16)


def become(uid: int) -> None:
    """Take a user id for good, as root.

    The user id last: without root's the others could no longer be changed. The saved ids too, from which a process may
    otherwise return (credentials(7)).
    """
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def enter_user_namespace(flags: int = 0) -> None:
    """Enter a user namespace in which there is one user, and this process is it; and other namespaces with it."""
    uid, gid = os.geteuid(), os.getegid()  # before: the new namespace has no names for them yet
    unshare(CLONE_NEWUSER | flags)
    own_proc_files()
    map_user("self", uid, gid)


def map_user(process: int | str, uid: int, gid: int) -> None:
    """Give the one user of a process's new user namespace its ids in the namespace around it."""
    for name, text in (
        ("setgroups", "deny"),  # without it, an ordinary user may write no gid_map (user_namespaces(7))
        ("uid_map", f"{SANDBOX_UID} {uid} 1"),
        ("gid_map", f"{SANDBOX_UID} {gid} 1"),
    ):
        with open(f"/proc/{process}/{name}", "w", encoding="ascii") as file:
            file.write(text)
