"""A sandbox of bubblewrap: joins the groups, takes a user id of its own, and becomes ``bwrap``.

This process becomes ``bwrap`` rather than starting it: ``--die-with-parent`` then ties the sandbox to the keeper, and
no process is left between the two that could end first. ``--as-pid-1`` makes the server itself PID 1, since
bubblewrap's own PID 1 only reaps, while the server has to find and kill what a block leaves behind.

``--seccomp`` is not used. The server puts the filter on itself, in every kind of sandbox at the same point: Docker
would want it in another format, and with namespaces alone there is no program that would take it. Nor is
``--clearenv``: it clears what the server gets, while ``bwrap`` keeps what it was started with readable in its
``/proc/PID/environ``. It is started with nothing instead.
"""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH102

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from typing import NoReturn, cast

from . import SANDBOX_UID, Plan
from . import _kernel as kernel
from ._cgroups import Groups, groups_for
from ._identity import become, own_uid
from ._keeper import keep

_STAGE = "/tmp"  # noqa: S108 - any folder will do: it is covered in this mount namespace only


def main(request: Mapping[str, object]) -> NoReturn:
    """Make a sandbox and stay until it is gone.

    Args:
        request: What `_namespaces.main` takes, and ``bwrap``, its path, ``server``, what it runs inside, and
            ``environment``, the variables that this needs.
    """
    groups = groups_for(request)
    keep(lambda: _become_bwrap(request, groups), groups)


def _become_bwrap(request: Mapping[str, object], groups: Groups) -> NoReturn:
    groups.show_memory_counter()
    bwrap = os.open(cast("str", request["bwrap"]), os.O_RDONLY | os.O_CLOEXEC)  # the stage may cover its folder
    plan = cast("Plan", request["mounts"])
    uid = own_uid()
    if uid is not None:
        plan = _staged(plan)
        become(uid)
    environment = cast("Mapping[str, str]", request["environment"])
    variables = [option for name, value in environment.items() for option in ("--setenv", name, value)]
    arguments = [*_ISOLATION, *variables, *(option for entry in plan for option in _options(entry)), *_LAST]
    server = cast("Sequence[str]", request["server"])
    os.execve(bwrap, ["bwrap", *arguments, "--", *server], {})  # noqa: S606 - no shell is wanted


# --unshare-all continues without a user namespace where it gets none; --unshare-user makes that an error, and root
# needs it to be put into one at all. --new-session takes the terminal away, into which a process could type otherwise.
_ISOLATION = (
    *("--unshare-all", "--unshare-user", "--uid", str(SANDBOX_UID), "--gid", str(SANDBOX_UID), "--cap-drop", "ALL"),
    *("--as-pid-1", "--die-with-parent", "--new-session", "--hostname", "sandbox", "--proc", "/proc", "--dev", "/dev"),
)
# bwrap obeys in order, so these come behind what is put below / and /dev. Both are file systems in memory without a
# limit of size, and writable until then.
_LAST = ("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/")


def _options(entry: Mapping[str, object]) -> Sequence[str]:
    """An entry of the plan as arguments of ``bwrap``."""
    kind, target = str(entry["kind"]), str(entry["target"])
    if kind == "bind":
        return "--ro-bind", str(entry["source"]), target
    if kind == "symlink":
        return "--symlink", str(entry["source"]), target
    if kind == "file":
        return "--ro-bind-data", str(_memory_file(str(entry["text"]))), target
    return "--perms", "0700", "--size", str(entry["size"]), "--tmpfs", target


def _memory_file(text: str) -> int:
    """A descriptor, for another program, from which `text` can be read. A pipe would block on a long one."""
    file = os.memfd_create("text", 0)
    os.write(file, text.encode())
    os.lseek(file, 0, os.SEEK_SET)
    return file


def _staged(plan: Plan) -> Plan:
    """The plan with sources that any user can reach, in a mount namespace of this process's own.

    What root can bind may lie in a folder that is closed to others, like an interpreter below /root. Staying root for
    ``bwrap`` is no way out: inside its user namespace, files of root would belong to the sandbox's user. A descriptor
    does not help either, as ``bwrap`` binds by path.
    """
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    binds = [entry for entry in plan if entry["kind"] == "bind"]
    sources = [os.open(str(entry["source"]), os.O_PATH | os.O_CLOEXEC) for entry in binds]  # some may be in the stage
    kernel.mount("stage", _STAGE, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755,size=1m")
    staged = iter([_stage(source, f"{_STAGE}/{number}") for number, source in enumerate(sources)])
    return [{**entry, "source": next(staged)} if entry["kind"] == "bind" else entry for entry in plan]


def _stage(source: int, target: str) -> str:
    path = f"/proc/self/fd/{source}"
    if stat.S_ISDIR(os.fstat(source).st_mode):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o644))
    kernel.mount(path, target, flags=kernel.MS_BIND | kernel.MS_REC)
    return target
