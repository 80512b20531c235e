"""Attacks on the machine's memory and processes."""

from __future__ import annotations

from symposia.core.code_executor import MIB, SandboxPolicy
from symposia.ext.code_executors.attacks._target import Attack, AttackTarget, Attempt, ending, prints_nothing

_SMALL = SandboxPolicy(memory_bytes=128 * MIB)
_HELD = "it held more memory than its limit of 128 MiB, and"

_MANY_PROCESSES = """
import os, time
for _ in range(3): os.fork()
kept = b"x" * (120 << 20)
time.sleep(10)
"""
_UNREADABLE = """
import ctypes, time
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
kept = []
for _ in range(60):
    kept.append(b"x" * (10 << 20)); time.sleep(0.02)
time.sleep(10)
"""
_WITHOUT_FIRST_THREAD = """
import ctypes, threading, time
def fill():
    kept = []
    for _ in range(60):
        kept.append(b"x" * (10 << 20)); time.sleep(0.02)
    time.sleep(10)
threading.Thread(target=fill).start()
time.sleep(0.1)
exit_of_a_thread = {"x86_64": 60, "aarch64": 93}[__import__("platform").machine()]
ctypes.CDLL(None).syscall(exit_of_a_thread, 0)
"""
_UNREADABLE_PROGRAM = """
cp "$(command -v tail)" ./kept && chmod 0111 ./kept
head -c 600000000 /dev/zero | ./kept -n 1 | { sleep 10; }
"""
_SOCKET_BUFFERS = """
import os, socket, time
for _ in range(30):
    if os.fork() == 0:
        kept = []
        for _ in range(110):
            one, other = socket.socketpair(); kept += [one, other]
            one.setblocking(False)
            try: one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            except OSError: pass
            try:
                while True: one.send(b"x" * 65536)
            except OSError: pass
        time.sleep(10); os._exit(0)
time.sleep(10)
"""
_INTERNET_SOCKETS = """
import socket
for family in (socket.AF_INET, socket.AF_INET6):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            socket.socket(family, kind); print("made", family, kind)
        except OSError: pass
"""
_FORK_BOMB = """
import os, time
made = 0
while made < 1000:
    try:
        if os.fork() == 0: time.sleep(30); os._exit(0)
        made += 1
    except OSError: break
print(made)
os._exit(0)
"""
_QUEUED_SIGNALS = """
import ctypes, os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMIN})
libc, queued = ctypes.CDLL(None, use_errno=True), 0
while queued < 5000 and libc.sigqueue(os.getpid(), int(signal.SIGRTMIN), ctypes.c_void_p(0)) == 0: queued += 1
print(queued)
"""
_WATCHES = """
import ctypes
libc, made = ctypes.CDLL(None), 0
while made < 300 and libc.inotify_init1(0) >= 0: made += 1
print(made)
"""


def _over_limit(code: str, language: str = "python") -> Attempt:
    async def attempt(target: AttackTarget) -> str:
        result = await target.run(code, language)
        if result.status != "out_of_memory":
            return f"{_HELD} {ending(result)}"
        return await target.next_block()

    return attempt


def _at_most(most: int, of: str, code: str) -> Attempt:
    async def attempt(target: AttackTarget) -> str:
        result = await target.run(code)
        if result.status != "ok" or not result.output.strip().isdigit():
            return f"it {ending(result)}"
        return f"it got {result.output.strip()} {of}" if int(result.output) > most else ""

    return attempt


_SPREAD = "take more memory than its limit, spread over processes"
_HIDDEN = "hide memory from the count: by making its process unreadable"
_THREAD = "hide memory from the count: by ending the first thread of its process"
_PROGRAM = "hide memory from the count: by a program that may not be read"
_BUFFERS = "keep memory in the buffers of Unix sockets"
_DATAGRAMS = "keep memory in the buffers of UDP sockets; use the network of the host"
_SIGNALS = "use up the signals that can be queued for a user of the host"
_INSTANCES = "use up the inotify instances of a user of the host"

ATTACKS = (
    Attack(name="memory-of-many-processes", aim=_SPREAD, attempt=_over_limit(_MANY_PROCESSES), policy=_SMALL),
    Attack(name="unreadable-process", aim=_HIDDEN, attempt=_over_limit(_UNREADABLE), policy=_SMALL),
    Attack(name="without-first-thread", aim=_THREAD, attempt=_over_limit(_WITHOUT_FIRST_THREAD), policy=_SMALL),
    Attack(name="unreadable-program", aim=_PROGRAM, attempt=_over_limit(_UNREADABLE_PROGRAM, "sh"), policy=_SMALL),
    Attack(name="socket-buffers", aim=_BUFFERS, attempt=_over_limit(_SOCKET_BUFFERS), policy=_SMALL),
    Attack(name="internet-sockets", aim=_DATAGRAMS, attempt=prints_nothing(_INTERNET_SOCKETS)),
    Attack(name="queued-signals", aim=_SIGNALS, attempt=_at_most(300, "queued signals", _QUEUED_SIGNALS)),
    Attack(name="inotify-instances", aim=_INSTANCES, attempt=_at_most(0, "inotify instances", _WATCHES)),
    Attack(
        name="fork-bomb",
        aim="start processes without end",
        attempt=_at_most(SandboxPolicy().processes, "processes", _FORK_BOMB),
    ),
)
