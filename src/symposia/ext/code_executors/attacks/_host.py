"""Attacks on programs of the host, through the files that the sandbox shares with them."""

from __future__ import annotations

import asyncio
import os
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

from symposia.ext.code_executors.attacks._target import MOUNTED, Attack, AttackTarget, prints_nothing

_TALK = f"""
import os, socket
for name in os.listdir("{MOUNTED}"):
    path = "{MOUNTED}/" + name
    try:
        socket.socket(socket.AF_UNIX).connect(path); print("connected to", name)
    except OSError: pass
    try:
        os.write(os.open(path, os.O_WRONLY | os.O_NONBLOCK), b"out"); print("wrote to", name)
    except OSError: pass
    try:
        if name.startswith("talk"): print("read", os.read(os.open(path, os.O_RDONLY | os.O_NONBLOCK), 100))
    except OSError: pass
"""
_LOCK = f"""
import fcntl, signal, struct, time
for number in range(3):
    open(f"{MOUNTED}/file").close()
one, other, third = (open(f"{MOUNTED}/file") for _ in range(3))
signal.signal(signal.SIGIO, signal.SIG_IGN)
for take in (
    lambda: fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB),
    lambda: fcntl.lockf(other, fcntl.LOCK_SH | fcntl.LOCK_NB),
    lambda: fcntl.fcntl(third, fcntl.F_SETLEASE, fcntl.F_RDLCK),
):
    try: take()
    except OSError: pass
print("locked", flush=True)
time.sleep(10)
"""
_WATCH = f"""
import ctypes, os
libc = ctypes.CDLL(None)
for watcher in (libc.inotify_init1(0x800), libc.fanotify_init(0, 0)):
    if watcher >= 0:
        print("watches", libc.inotify_add_watch(watcher, b"{MOUNTED}", 0x20))
import fcntl
try:
    fcntl.fcntl(os.open("{MOUNTED}", os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_ACCESS); print("is told of accesses")
except OSError: pass
"""
_CHANGE = f"""
import os
for path in ("{MOUNTED}/file", "{MOUNTED}/new", "/etc/passwd", "/usr/bin/new", "/new", "/dev/new"):
    for way in ("r+", "w"):
        try:
            open(path, way).close(); print("opened", path)
        except OSError: pass
for change in (os.unlink, os.rmdir, lambda path: os.chmod(path, 0o777), lambda path: os.utime(path)):
    try:
        change("{MOUNTED}/file"); print("changed it")
    except OSError: pass
"""
_LIST = """
import os
try: print(*os.listdir({folder!r}))
except OSError: pass
"""


async def _talk(target: AttackTarget) -> str:
    reached: list[str] = []
    before, later = target.mounted / "talk-before", target.mounted / "talk-later"
    pipe = target.mounted / "talk-pipe"
    servers = [await _listen(before, reached)]
    await asyncio.to_thread(_make_pipe, pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if refused := await target.next_block():  # the sandbox runs, before the second socket is there
            return refused
        servers.append(await _listen(later, reached))
        await asyncio.to_thread(_make_pipe, target.mounted / "talk-later-pipe")
        result = await target.run(_TALK)
        with suppress(BlockingIOError):
            if os.read(reader, 100):
                reached.append("a FIFO")
    finally:
        os.close(reader)
        for server in servers:
            server.close()
            await server.wait_closed()
    return f"it reached {', '.join(reached)}: {result.output}" if reached or "connected" in result.output else ""


async def _listen(path: Path, reached: list[str]) -> asyncio.Server:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(path.name)
        writer.close()

    server = await asyncio.start_unix_server(answer, path)
    await asyncio.to_thread(path.chmod, 0o777)
    return server


def _make_pipe(path: Path) -> None:
    os.mkfifo(path)
    path.chmod(0o666)


async def _lock(target: AttackTarget) -> str:
    running = await target.run_until("locked", _LOCK)
    try:
        return await asyncio.to_thread(_blocked, target.mounted / "file")
    finally:
        running.cancel()
        await asyncio.wait([running])


def _blocked(path: Path) -> str:
    """What a writer of the host meets."""
    import fcntl  # noqa: PLC0415 - Windows has none, and no sandbox to attack

    try:
        file = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # with a lease on it, that would wait
    except BlockingIOError:
        return "a lease makes the host's writers wait"
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return "a lock makes the host's writers wait"
    finally:
        os.close(file)
    return ""


async def _list_packages(target: AttackTarget) -> str:
    if target.executor.backend_name not in ("namespaces", "bubblewrap"):
        return ""  # nothing of the host's Python is there
    folder = sysconfig.get_path("purelib", vars={"base": sys.base_prefix})
    return (await target.run(_LIST.format(folder=folder))).output.strip()


ATTACKS = (
    Attack(name="sockets-and-pipes", aim="talk to a host's program by a socket or FIFO in a mount", attempt=_talk),
    Attack(name="locks", aim="make the host's writers of a mounted file wait, by locks and leases", attempt=_lock),
    Attack(name="watches", aim="watch which mounted files programs of the host use", attempt=prints_nothing(_WATCH)),
    Attack(
        name="changed-files",
        aim="change a file of the host, or anything outside its folders",
        attempt=prints_nothing(_CHANGE),
    ),
    Attack(name="packages", aim="list the packages of the host's Python", attempt=_list_packages),
)
