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
# ruff: noqa: PTH103, PTH110, PTH112

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NoReturn, cast

from . import HIDDEN_IN_PROC, READ_ONLY_IN_PROC, SANDBOX_UID, Plan
from . import _kernel as kernel
from ._cgroups import Groups, groups_for
from ._data import DataSource, open_data, refuse_sockets, show_data
from ._identity import become, enter_user_namespace, own_uid
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
        kernel.unshare(kernel.CLONE_NEWNS)
        plan = _staged(plan)
        become(uid)
    elif any(entry["kind"] == "data" for entry in plan):
        plan = _staged_by_user(plan)
    environment = cast("Mapping[str, str]", request["environment"])
    variables = [option for name, value in environment.items() for option in ("--setenv", name, value)]
    mounts = [*_proc_options(), *(option for entry in plan for option in _options(entry))]
    arguments = [*_ISOLATION, *variables, *mounts, *_LAST]
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


def _proc_options() -> list[str]:
    """The arguments of ``bwrap`` for what it leaves open in /proc."""
    read_only = [name for name in READ_ONLY_IN_PROC if os.path.exists(f"/proc/{name}")]
    hidden = [name for name in HIDDEN_IN_PROC if os.path.exists(f"/proc/{name}")]
    # From the host's /proc, as bwrap binds nothing of the new root. /proc/sys shows each process the settings of its
    # own namespaces, whichever /proc it is from.
    bound = [option for name in read_only for option in ("--ro-bind", f"/proc/{name}", f"/proc/{name}")]
    return [*bound, *(option for name in hidden for option in ("--ro-bind", "/dev/null", f"/proc/{name}"))]


def _options(entry: Mapping[str, object]) -> Sequence[str]:
    """An entry of the plan as arguments of ``bwrap``."""
    kind, target = str(entry["kind"]), str(entry["target"])
    if kind == "bind":
        return "--ro-bind", str(entry["source"]), target
    if kind == "empty":
        return "--size", "4096", "--tmpfs", target, "--remount-ro", target
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


def _staged_by_user(plan: Plan) -> Plan:
    """The same for an ordinary user, who may mount an overlay in a user namespace.

    One around that of ``bwrap``, which has no option for overlays before version 0.11. Where only ``bwrap`` may make
    one, as AppArmor can be told, the data is bound as it is.
    """
    try:
        enter_user_namespace(kernel.CLONE_NEWNS)
    except OSError:
        for entry in plan:
            if entry["kind"] == "data":
                refuse_sockets(str(entry["source"]))
        return [{**entry, "kind": "bind"} if entry["kind"] == "data" else entry for entry in plan]
    return _staged(plan)


def _staged(plan: Plan) -> Plan:
    """The plan with sources that any user can reach, in a mount namespace of this process's own.

    What root can bind may lie in a folder that is closed to others, like an interpreter below /root. Staying root for
    ``bwrap`` is no way out: inside its user namespace, files of root would belong to the sandbox's user. A descriptor
    does not help either, as ``bwrap`` binds by path.
    """
    kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    opened = [_opened(entry) for entry in plan]  # before the stage is there, as some may be where it is
    kernel.mount("stage", _STAGE, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755,size=1m")
    return [
        _stage(entry, source, f"{_STAGE}/{number}")
        for number, (entry, source) in enumerate(zip(plan, opened, strict=True))
    ]


def _opened(entry: Mapping[str, object]) -> DataSource | int | None:
    if entry["kind"] == "data":
        return open_data(str(entry["source"]))
    return os.open(str(entry["source"]), os.O_PATH | os.O_CLOEXEC) if entry["kind"] == "bind" else None


def _stage(entry: Mapping[str, object], source: DataSource | int | None, target: str) -> Mapping[str, object]:
    if source is None:
        return entry
    if isinstance(source, DataSource):
        show_data(source, target, _STAGE, _bind)
    else:
        _bind(f"/proc/self/fd/{source}", target)
    return {**entry, "kind": "bind", "source": target}


def _bind(source: str, target: str) -> None:
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o644))
    kernel.mount(source, target, flags=kernel.MS_BIND | kernel.MS_REC)
