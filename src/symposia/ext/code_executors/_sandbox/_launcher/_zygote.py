"""The keeper of a zygote, from which the sandboxes of one program are forked with their libraries imported.

A server that imports numpy, pandas and matplotlib takes a second of processor time and seventy megabytes. A zygote has
done so once, and what is forked from it shares that memory. There are three kinds of processes below a keeper:

- the supervisor, PID 1 of a PID namespace around all: when it ends, the kernel ends every sandbox. It adopts them, and
  runs nothing but the start of the zygote, so that the zygote can end without them;
- the zygote (`_fork`), which imports libraries where there is nothing to be had: in namespaces and a root of its own,
  without a network, privileges, variables of the host, files of its user, or anything that a sandbox has written;
- the sandboxes, each PID 1 of a further PID namespace, in namespaces and control groups of its own.

The keeper stays outside, with the rights of the program's user, as `_keeper` does for a single sandbox: it makes and
removes the control groups, chooses the user ids, and ends a sandbox whose host has closed its stdin. It runs no library
of the user's. The zygote and the forks have no way to it but the answers that it waits for, and a fork has lost that
way before it hears of its host.

Rejected: a zygote with the rights to build sandboxes by itself, as any package that is imported would have them; one
user id for all sandboxes of a zygote, as the kernel counts some things for each id (pipes, descriptors on their way
through sockets); joining namespaces that the keeper has made (setns(2)), since a PID namespace cannot be joined before
it has a PID 1.
"""

from __future__ import annotations

import json
import math
import os
import resource
import select
import signal
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn, cast

from . import MEMORY_RAN_OUT, SANDBOX_UID
from . import _kernel as kernel
from ._cgroups import Groups, groups_for
from ._identity import become, enter_user_namespace, map_user, own_uid
from ._keeper import is_ending
from ._namespaces import leave_host

ZYGOTE_FD = 3  # of the zygote: leads to the keeper
_REQUEST_BYTES = 1 << 18
_STREAMS = 3
_TRIAL_SECONDS = 30.0
_IMPORT_SECONDS = 120.0
_END_SECONDS = 0.1  # as in `_keeper`
_CREDENTIALS = "=iII"  # struct ucred: process, user, group


class _Sandbox:
    """A sandbox that was forked.

    Attributes:
        pid: Of its PID 1, the server.
        process: A descriptor of that (pidfd_open(2)).
        stdin: The server's. Never read here: a hang-up says that the host has gone.
        stderr: Kept open until everything of the sandbox is gone, which is how the host learns of that.
        groups: Its control groups.
        killed_at: When it is killed; None while the host has not closed stdin, infinite once it was.
        ended_first: Whether the server was at its end before the host closed stdin.
    """

    def __init__(self, pid: int, process: int, stdin: int, stderr: int, groups: Groups) -> None:
        self.pid = pid
        self.process = process
        self.stdin = stdin
        self.stderr = stderr
        self.groups = groups
        self.killed_at: float | None = None
        self.ended_first = True


def main(request: Mapping[str, object]) -> NoReturn:
    """Make a zygote, and sandboxes from it, until the host closes the control socket or none was used for a while.

    Args:
        request: ``control``, a descriptor of the socket by which requests come; ``mounts``, the plan of the zygote's
            root; ``memory_bytes``, ``cpus`` and ``processes``, for the import; ``zygote``, its command, and
            ``environment``, the variables that this needs; ``trial``, the request of a sandbox, with which it is tried
            before the first one; ``answer_seconds``, after which a zygote that does not fork is given up;
            ``idle_seconds`` without a sandbox, after which the memory is given back.
    """
    control = socket.socket(fileno=cast("int", request["control"]))
    groups = groups_for(request)
    uid = own_uid()
    if uid is None:
        # The keeper stays in this user namespace, in which it may give ids to those of the forks.
        enter_user_namespace(kernel.CLONE_NEWPID)
    else:
        kernel.unshare(kernel.CLONE_NEWPID)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    supervisor = os.fork()
    if supervisor == 0:
        ours.close()
        _supervise(request, uid, groups, theirs)
    theirs.close()
    _allow_many_files()
    answer_seconds = cast("float", request["answer_seconds"])
    keeper = _Keeper(control, ours, supervisor, groups, answer_seconds, unique_ids=uid is not None)
    try:
        keeper.try_out(cast("Mapping[str, object]", request["trial"]))
        control.send(b"ready")
        keeper.serve(cast("float", request["idle_seconds"]))
    except (OSError, RuntimeError) as error:
        with suppress(OSError):  # the host has gone
            control.send(f"failed: {getattr(error, 'strerror', None) or error}".encode())
    finally:
        keeper.end()


def _allow_many_files() -> None:
    """Let this process have as many descriptors as it may: three for each sandbox. Those forked before keep theirs."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _supervise(request: Mapping[str, object], uid: int | None, groups: Groups, zygote: socket.socket) -> NoReturn:
    """As PID 1 of the namespace around all sandboxes: start the zygote, and wait for whatever ends."""
    try:
        groups.join()
        leave_host({**request, "loopback": False}, SANDBOX_UID if uid is None else uid, masked=False)
        if uid is None:
            kernel.drop_capabilities()
        else:
            kernel.limit_capabilities()
            become(uid)  # without capabilities, in the machine's user namespace: the ids of the forks are given there
        kernel.gain_no_privileges()
        kernel.die_with_parent()
        if _has_closed(zygote):  # the keeper ended before that: the kernel will not tell
            os._exit(1)
        os.umask(0o022)
        started = os.fork()
        if started == 0:
            os.dup2(zygote.fileno(), ZYGOTE_FD)
            os.set_inheritable(ZYGOTE_FD, True)  # where it had that number already
            os.closerange(ZYGOTE_FD + 1, os.sysconf("SC_OPEN_MAX"))
            command = cast("Sequence[str]", request["zygote"])
            os.execve(command[0], [*command], dict(cast("Mapping[str, str]", request["environment"])))  # noqa: S606 - no shell
        os.closerange(0, os.sysconf("SC_OPEN_MAX"))
        while True:  # until the zygote and all sandboxes have ended: there is nothing to wait for then
            os.wait()
    except BaseException as error:  # noqa: BLE001 - whatever it is, this process must not become a second keeper
        with suppress(OSError):
            zygote.send(f"failed: {getattr(error, 'strerror', None) or error}".encode())
    finally:
        os._exit(1)


def _has_closed(peer: socket.socket) -> bool:
    """Whether the other end of a socket is closed."""
    events = select.poll()
    events.register(peer, 0)
    return bool(events.poll(0))


class _Keeper:
    """Makes sandboxes from a zygote, and stays until they are gone.

    Args:
        control: Requests of the host, each with the sandbox's stdin, stdout and stderr.
        zygote: Leads to the zygote.
        supervisor: PID 1 of all.
        groups: Of the zygote.
        answer_seconds: How long the zygote may take for a fork.
        unique_ids: Whether each sandbox gets a user id of its own.
    """

    def __init__(
        self,
        control: socket.socket,
        zygote: socket.socket,
        supervisor: int,
        groups: Groups,
        answer_seconds: float,
        *,
        unique_ids: bool,
    ) -> None:
        self._control = control
        self._zygote = zygote
        self._zygote_process = -1
        self._supervisor = supervisor
        self._supervisor_ended = os.pidfd_open(supervisor)
        self._groups = groups
        self._answer_seconds = answer_seconds
        self._unique_ids = unique_ids
        self._sandboxes: list[_Sandbox] = []
        self._made = 0
        self._is_open = True

    def try_out(self, request: Mapping[str, object]) -> None:
        """Wait until the libraries are imported, and make a sandbox that ends at once, as its host has gone.

        Raises:
            OSError: The kernel does not allow such sandboxes, or the zygote has ended.
            RuntimeError: The import failed.
        """
        self._zygote.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._await_answer(self._zygote, _IMPORT_SECONDS)
        answer, pid = _receive_with_sender(self._zygote)
        if answer != b"ready":
            raise RuntimeError(answer.decode(errors="replace").removeprefix("failed: ") or "the import ended")
        self._zygote_process = os.pidfd_open(pid)
        errors, stderr = os.pipe()
        nothing = [os.open(os.devnull, os.O_RDWR) for _ in range(2)]  # read as stdin: its host has gone
        self._make(request, [*nothing, stderr])
        deadline = time.monotonic() + _TRIAL_SECONDS
        while self._sandboxes and time.monotonic() < deadline:
            self._wait(_TRIAL_SECONDS)
        reason = os.read(errors, _REQUEST_BYTES).decode(errors="replace").strip()
        os.close(errors)
        if reason or self._sandboxes:
            raise RuntimeError(reason or "a sandbox that was forked does not end")

    def serve(self, idle_seconds: float) -> None:
        """Make sandboxes until there is no reason to go on."""
        while self._is_open or self._sandboxes:
            if not self._wait(idle_seconds) and not self._sandboxes:
                return

    def end(self) -> NoReturn:
        """End everything, remove the groups, and end."""
        with suppress(ProcessLookupError):
            os.kill(self._supervisor, signal.SIGKILL)
        os.waitpid(self._supervisor, 0)  # after this nothing is left in the namespace (pid_namespaces(7))
        for sandbox in list(self._sandboxes):
            self._forget(sandbox)
        self._groups.remove()
        os._exit(0)

    def _wait(self, seconds: float) -> bool:
        """Handle what happens next, and return whether something did."""
        now = time.monotonic()
        deadlines = [each.killed_at for each in self._sandboxes if each.killed_at is not None]
        events = select.poll()
        events.register(self._supervisor_ended, select.POLLIN)
        if self._is_open:
            events.register(self._control, select.POLLIN)
            events.register(self._zygote, select.POLLIN)
        for sandbox in self._sandboxes:
            events.register(sandbox.process, select.POLLIN)
            if sandbox.killed_at is None:
                events.register(sandbox.stdin, 0)  # a hang-up is always reported (poll(2))
        ready = {fd for fd, _ in events.poll(max(0.0, min([now + seconds, *deadlines]) - now) * 1000)}
        if self._supervisor_ended in ready:
            self.end()
        for sandbox in list(self._sandboxes):
            self._look_after(sandbox, ready)
        if self._is_open and self._zygote.fileno() in ready:
            self._leave_zygote()  # it has ended: it sends nothing by itself
        elif self._is_open and self._control.fileno() in ready:
            self._answer()
        return bool(ready)

    def _look_after(self, sandbox: _Sandbox, ready: set[int]) -> None:
        if sandbox.process in ready:
            if sandbox.ended_first and sandbox.groups.memory_ran_out():
                _tell(sandbox.stderr, MEMORY_RAN_OUT)
            self._forget(sandbox)
        elif sandbox.killed_at is not None and time.monotonic() >= sandbox.killed_at:
            sandbox.killed_at = math.inf
            with suppress(ProcessLookupError):  # it has ended since
                signal.pidfd_send_signal(sandbox.process, signal.SIGKILL)
        elif sandbox.stdin in ready:  # the server has seen it too, and ends by itself
            # A server that is killed closes its streams, upon which the host closes its own, before it is gone itself.
            sandbox.ended_first = is_ending(sandbox.pid)
            sandbox.killed_at = time.monotonic() + _END_SECONDS

    def _forget(self, sandbox: _Sandbox) -> None:
        self._sandboxes.remove(sandbox)
        sandbox.groups.remove()
        for fd in (sandbox.process, sandbox.stdin, sandbox.stderr):
            os.close(fd)

    def _answer(self) -> None:
        data, streams, _, _ = socket.recv_fds(self._control, _REQUEST_BYTES, _STREAMS)
        if not data:
            self.end()
        if len(streams) < _STREAMS:  # no descriptors are left for the others: the host launches this sandbox
            for fd in streams:
                os.close(fd)
            return
        if not self._make(json.loads(data), streams):
            self._leave_zygote()

    def _leave_zygote(self) -> None:
        """Take no more requests, and stay for the sandboxes that there are.

        The host starts another keeper when it needs one. Requests that it has sent meanwhile are lost with their
        streams, by which it learns that it has to launch these sandboxes.
        """
        self._is_open = False
        self._control.close()
        with suppress(ProcessLookupError):  # one that does not answer keeps the streams of the request as it is
            signal.pidfd_send_signal(self._zygote_process, signal.SIGKILL)

    def _await_answer(self, answers: socket.socket, seconds: float) -> None:
        """Wait for the zygote, or one that was forked, to answer or to end.

        Raises:
            OSError: The host or the supervisor has gone.
            TimeoutError: The time is up.
        """
        events = select.poll()
        events.register(answers, select.POLLIN)
        events.register(self._supervisor_ended, select.POLLIN)
        events.register(self._control, 0)  # other requests have to wait, but its end does not
        ready = {fd for fd, _ in events.poll(seconds * 1000)}
        if not ready:
            raise TimeoutError(0, f"no answer of the zygote within {seconds:g} s")
        if answers.fileno() not in ready:
            raise OSError(0, "the program that wanted the sandbox has ended")

    def _make(self, request: Mapping[str, object], streams: list[int]) -> bool:
        """Make a sandbox. What goes wrong is written to its stderr, and its streams are closed.

        Returns:
            Whether the zygote has answered.
        """
        stdin, stdout, stderr = streams
        self._made += 1
        groups, has_answered = Groups(), True
        try:
            groups = groups_for(request, self._made)
            pid, process = self._fork(request, streams, groups)
        except OSError as error:
            has_answered = not isinstance(error, TimeoutError)
            _tell(stderr, error.strerror or str(error))
            groups.remove()
            os.close(stdin)
            os.close(stderr)
        else:
            self._sandboxes.append(_Sandbox(pid, process, stdin, stderr, groups))
        os.close(stdout)
        return has_answered

    def _fork(self, request: Mapping[str, object], streams: Sequence[int], groups: Groups) -> tuple[int, int]:
        """Have the zygote fork, and give the fork what only the keeper can give.

        Returns:
            The number of the fork, and a descriptor of it.

        Raises:
            OSError: It could not be made.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            counter = groups.open_memory_counter()
            try:
                socket.send_fds(self._zygote, [json.dumps(request).encode()], [theirs.fileno(), *streams, *counter])
            finally:
                for fd in counter:
                    os.close(fd)
            theirs.close()
            self._await_answer(ours, self._answer_seconds)
            answer, pid = _receive_with_sender(ours)
            if not answer:
                raise OSError(0, "the zygote ended before it had forked")
            # The number comes from the kernel, and not from what the fork says. It waits for the answer, so that it is
            # the same process all the time.
            process = os.pidfd_open(pid)
            try:
                # Its own process id is unique for as long as it lives, and so is the user id that is made from it.
                uid = own_uid(pid) if self._unique_ids else None
                parents_uid = SANDBOX_UID if uid is None else uid
                map_user(pid, parents_uid, parents_uid)
                ours.send(b"mapped")
                # It makes its root meanwhile: for each group that a process joins, the kernel waits until every
                # processor has done something else, which takes some ten milliseconds.
                groups.join(pid)
                ours.send(b"joined")
            except BaseException:
                os.close(process)
                raise
        return pid, process


def _receive_with_sender(answers: socket.socket) -> tuple[bytes, int]:
    """Receive a message, and the number of the process that sent it, as seen from here (SCM_CREDENTIALS, unix(7)).

    The other end may be closed: then there is no message, and no sender.
    """
    size = struct.calcsize(_CREDENTIALS)
    message, ancillary, _, _ = answers.recvmsg(_REQUEST_BYTES, socket.CMSG_SPACE(size))
    sender = struct.unpack(_CREDENTIALS, ancillary[0][2][:size])[0] if message else 0
    return message, sender


def _tell(stderr: int, text: str) -> None:
    """Give the host of one sandbox a line. Where it has gone, the others are not to end with it."""
    with suppress(OSError):
        os.write(stderr, f"{text}\n".encode())
