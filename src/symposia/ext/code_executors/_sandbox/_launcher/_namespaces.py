"""A sandbox of namespaces alone: needs nothing but the kernel, as root and as an ordinary user.

Root makes the namespaces with its own rights, and enters a user namespace last of all. The other order, a user
namespace first, is what an ordinary user has to take; for root it would give up the right to bind what only root can
read, and to take a user id of the sandbox's own.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from collections.abc import Mapping
from typing import NoReturn, cast

from .._inside._server import main as serve
from . import SANDBOX_UID
from . import _kernel as kernel
from ._cgroups import Groups, groups_for
from ._identity import become, enter_user_namespace, own_uid
from ._keeper import keep
from ._root import Plan, move_into_new_root

_OWN_VIEWS = (
    kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS | kernel.CLONE_NEWCGROUP
)
_SIOCSIFFLAGS = 0x8914
_IFF_UP_AND_RUNNING = 0x41


def main(request: Mapping[str, object]) -> NoReturn:
    """Make a sandbox and stay until it is gone.

    Args:
        request: ``mounts``, a plan; and ``memory_bytes``, ``cpus`` and ``processes``.
    """
    groups = groups_for(request)
    uid = own_uid()
    # Before the fork, unlike the other namespaces: a PID namespace begins with the next child, which is its PID 1.
    if uid is None:
        enter_user_namespace(kernel.CLONE_NEWPID)
    else:
        kernel.unshare(kernel.CLONE_NEWPID)
    keep(lambda: _become_sandbox(cast("Plan", request["mounts"]), uid, groups), groups)


def _become_sandbox(plan: Plan, uid: int | None, groups: Groups) -> NoReturn:
    """As PID 1 of its namespace. Root makes the namespaces with its own rights and gives these up last of all."""
    kernel.unshare(_OWN_VIEWS)
    socket.sethostname("sandbox")
    _bring_loopback_up()
    groups.show_memory_counter()
    move_into_new_root(plan, SANDBOX_UID if uid is None else uid)
    if uid is not None:
        become(uid)
        enter_user_namespace()
    kernel.drop_capabilities()
    os.umask(0o022)
    serve()


def _bring_loopback_up() -> None:
    """Let processes of the sandbox talk to each other over 127.0.0.1; nothing else is on their network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", _IFF_UP_AND_RUNNING)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)
