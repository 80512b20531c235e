"""A zygote: a process with imported libraries, and its forks, each of which becomes the server of a sandbox.

It runs in the root that its supervisor has made, as a user without rights (`_zygote`). A fork leaves it by the same
steps as a sandbox that is launched, in the order of an ordinary user (`_namespaces`): a user namespace first, in which
it may make the others. It has the user id that the keeper chose, and a root of its own, before it reads the first byte
of its host, and then puts the same limits, Landlock and filter on itself as any server.

What the forks share is what the zygote has in memory: code, imported modules, the layout of the address space, Python's
hash seed, and the secrets by which the C library guards its stack and heap. What they do not share: any descriptor but
those that the keeper sends for one fork, any memory that can be written, and the state of random generators, which
Python's own fork handlers and `before_fork` change, and OpenSSL by the number of the process (`_use_up_numbers`). The
zygote reads nothing but requests of the keeper, with limits and paths of the project's own choice, so that nothing of a
sandbox can change it.

It has one thread, as a fork has only the one that forks, and as the kernel gives a process with more no user namespace
(unshare(2)). Numeric libraries are told so by variables; one that starts threads all the same ends the zygote.
"""

# pathlib would be the largest part of the program.
# ruff: noqa: PTH123

from __future__ import annotations

import gc
import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn, cast

from .._inside._huge_pages import collapse, private_areas
from .._inside._interpreters import before_fork, import_library
from .._inside._server import serve, take_environment
from . import MEMORY_COUNTER_FD, SANDBOX_UID
from . import _kernel as kernel
from ._identity import enter_user_namespace
from ._namespaces import leave_host
from ._zygote import ZYGOTE_FD

_REQUEST_BYTES = 1 << 18
_MOST_FDS = 5  # the conversation with the keeper, three streams, and the counter of memory
_MOST_OPEN = 1 << 20
_CONVERSATION_FD = ZYGOTE_FD  # of a fork, in whose place it has no way to the keeper's other requests


def main(request: Mapping[str, object]) -> NoReturn:
    """Import libraries, and fork for each request of the keeper, until it has gone.

    Args:
        request: ``libraries``, their names; ``variables``, which they see; ``scratch``, a folder that can be written.
    """
    keeper = socket.socket(fileno=ZYGOTE_FD)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)
    sys.path[:] = [folder for folder in sys.path if folder]
    take_environment(dict(cast("Mapping[str, str]", request["variables"])))
    try:
        for name in cast("Sequence[str]", request["libraries"]):
            import_library(name, str(request["scratch"]))
        _refuse_shared_memory()
    except RuntimeError as error:
        keeper.send(f"failed: {error}".encode())
        os._exit(1)
    _prepare_memory()
    own_number = os.getpid()
    keeper.send(b"ready")
    while True:
        data, received, _, _ = socket.recv_fds(keeper, _REQUEST_BYTES, _MOST_FDS)
        if not data:  # the keeper has gone
            os._exit(0)
        before_fork()
        if (pid := os.fork()) == 0:
            _become_sandbox(data, received, own_number)
        for fd in received:
            os.close(fd)
        os.waitpid(pid, 0)  # it ends as soon as it has forked itself


def _refuse_shared_memory() -> None:
    """Refuse to be used if a library has mapped memory that forks would go on to share.

    Raises:
        RuntimeError: One has.
    """
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        rights = [line.split(maxsplit=2)[1] for line in file]
    if any("w" in each and "s" in each for each in rights):
        raise RuntimeError("a library shares memory that can be written with the processes that are forked from it")


def _prepare_memory() -> None:
    """Make the memory one that many share for long."""
    tempfile = sys.modules.get("tempfile")
    if tempfile is not None:
        # It makes other names in each process, which it knows by its number: an interpreter in a sandbox may have that
        # of the zygote, as both count from 1.
        setattr(tempfile, "_name_sequence", None)  # noqa: B010 - type checkers do not know it
    gc.collect()
    for area in private_areas():
        collapse(area)


def _become_sandbox(data: bytes, received: Sequence[int], number_of_zygote: int) -> NoReturn:
    """As a fork of the zygote, fork PID 1 of a new PID namespace, which becomes the server, and end."""
    conversation, stdin, stdout, stderr, *counter = received
    try:
        os.dup2(stderr, 2)
        kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWPID)
        if os.fork():
            os._exit(0)
        os.write(conversation, b"forked")
        _wait_for(b"mapped", conversation)
        _keep_only(stdin, stdout, conversation, counter)
        # Ids that have a name in the namespace: until now they were those of the zygote.
        os.setresgid(SANDBOX_UID, SANDBOX_UID, SANDBOX_UID)
        os.setresuid(SANDBOX_UID, SANDBOX_UID, SANDBOX_UID)
        leave_host(json.loads(data), SANDBOX_UID)
        _wait_for(b"joined", _CONVERSATION_FD)
        os.close(_CONVERSATION_FD)
        kernel.unshare(kernel.CLONE_NEWCGROUP)  # the last one began at the group of the zygote
        # As root's sandboxes that are launched: from below, no capability counts over the namespaces of the sandbox.
        enter_user_namespace()
        kernel.drop_capabilities()
        os.umask(0o022)
        _use_up_numbers(number_of_zygote)
        serve(has_libraries=True)
    except BaseException as error:  # noqa: BLE001 - whatever it is, this process must not become a second zygote
        os.write(2, f"{getattr(error, 'strerror', None) or error}\n".encode())
    finally:
        os._exit(1)


def _use_up_numbers(last: int) -> None:
    """Let no process of this namespace that comes later have the number of the zygote in its own.

    Generators of random numbers know by getpid() whether they are in a fork. OpenSSL's, once a library had used it,
    would give the same bytes to the first block of every sandbox, as all namespaces count from 1. The kernel gives the
    lowest three hundred numbers once (RESERVED_PIDS): the zygote's is among these, as the supervisor starts it first.

    Not by fork, which takes milliseconds with libraries: posix_spawn copies no memory, and uses a number up although
    there is no such program. Nor by ns_last_pid, which not every kernel has.
    """
    for _ in range(2, last + 1):
        with suppress(FileNotFoundError):
            os.posix_spawn("", ["nothing"], {})


def _wait_for(answer: bytes, conversation: int) -> None:
    if os.read(conversation, len(answer)) != answer:
        os._exit(1)  # the keeper has given up, and says why


def _keep_only(stdin: int, stdout: int, conversation: int, counter: Sequence[int]) -> None:
    """Put the streams and the counter of memory where the server looks for them, and close all else."""
    for fd, place in ((stdin, 0), (stdout, 1), (conversation, _CONVERSATION_FD)):
        os.dup2(fd, place)
    for fd in counter:
        os.dup2(fd, MEMORY_COUNTER_FD)
    kept = MEMORY_COUNTER_FD if counter else _CONVERSATION_FD
    os.closerange(_CONVERSATION_FD + 1, kept)
    os.closerange(kept + 1, _MOST_OPEN)
