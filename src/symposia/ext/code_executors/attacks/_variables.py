"""Attacks on what a stateful sandbox keeps: whatever a block does, the next one runs, and is told what was lost."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from symposia.core.code_executor import SandboxPolicy
from symposia.ext.code_executors._sandbox._results import VARIABLES
from symposia.ext.code_executors.attacks._target import Attack, AttackTarget, Attempt, ending

_POLICY: Final = SandboxPolicy(stateful=True, time_limit=3)
_BEFORE = """
import _socket, ctypes, fcntl, os, signal, struct, sys, threading, time
kept = "kept"
def others(): return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]
"""
# The server, the interpreter, and its checkpoint, which one that is new does not have: any more were left behind.
_PROBE = """
import os
print("variables" if "kept" in globals() else "nothing", len([name for name in os.listdir("/proc") if name.isdigit()]))
"""
_KEPT, _LOST = "variables 3\n", "nothing 2\n"
_TICKS = "cat /tmp/ticks 2>/dev/null | wc -c"

_KILL = """
for process in others(): os.kill(process, signal.SIGKILL)
kept = "changed"
while True: pass
"""
_STOP = """
if os.fork() == 0:
    os.setsid()
    while True:
        for process in others(): os.kill(process, signal.SIGSTOP)
os.kill(os.getpid(), signal.SIGSTOP)
"""
_FORGED_END = """
os.write(3, struct.pack("=Bdq", 0, 0.0, 0))
while True: open("/tmp/ticks", "a").write("x")
"""
# A signal of a timer, or the loss of its terminal, would continue the interpreter, which obeys between the blocks, so
# that it is kept.
_CONTINUED = """
event = ctypes.create_string_buffer(64)
struct.pack_into("Pii", event, 0, 0, signal.SIGCONT, 0)
timer, syscall = ctypes.c_int(), ctypes.CDLL(None).syscall
timer_create, timer_settime = (222, 223) if os.uname().machine == "x86_64" else (107, 110)
if syscall(timer_create, time.CLOCK_MONOTONIC, event, ctypes.byref(timer)) == 0:
    syscall(timer_settime, timer, 0, struct.pack("4q", 0, 10**7, 0, 10**7), None)
try:
    # The terminal's other end is on its way through a socket that nothing refers to any more. The kernel closes it when
    # any socket is closed.
    master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(master, 0x40045431, bytes(4))  # TIOCSPTLCK
    [number] = struct.unpack("i", fcntl.ioctl(master, 0x80045430, bytes(4)))  # TIOCGPTN
    os.open(f"/dev/pts/{number}", os.O_RDWR)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    near, far = _socket.socketpair()
    near.sendmsg([b"x"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("2i", master, far.fileno()))])
    os.close(master)
    far.close()
except OSError: pass
control = _socket.socket(fileno=os.dup(3))
control.send(struct.pack("=Bdq", 0, 0.0, 0))
while True:
    try: word = control.recv(4096, _socket.MSG_DONTWAIT)
    except BlockingIOError: open("/tmp/ticks", "a").write("x"); continue
    if word == b"checkpoint":
        try:
            while True: os.waitpid(-1, 0)
        except OSError: pass
        if os.fork() == 0: control.send(word)
"""
_TICKS_MEANWHILE = """
python3 -c 'import socket; socket.socketpair()'
before=$(wc -c < /tmp/ticks); sleep 0.3; echo $(($(wc -c < /tmp/ticks) - before))
"""
_FORGED_ANSWERS = """
def lie():
    control = _socket.socket(fileno=os.dup(3))
    while True:
        for word in (b"run", b"alone", b"checkpoint", b"", b"x" * 64, struct.pack("=Bdq", 0, 0.0, 0)):
            try: control.send(word, _socket.MSG_DONTWAIT)
            except OSError: pass
        try: control.recv(64, _socket.MSG_DONTWAIT)
        except OSError: pass
for _ in range(3):
    if os.fork() == 0: lie()
threading.Thread(target=lie, daemon=True).start()
time.sleep(0.2)
"""
_SHUT = "_socket.socket(fileno=os.dup(3)).shutdown(2)"
_POISON = """
import builtins, random
def fail(*_, **__): raise SystemExit("poisoned")
NAMES = "kill fork waitpid listdir pthread_sigmask getstate setstate _exit len compile exec"
for module in (os, signal, random, struct, sys, builtins):
    for name in NAMES.split():
        if hasattr(module, name): setattr(module, name, fail)
sys.stdout = sys.stderr = sys.modules = sys.argv = None
"""
_LEFT = """
def live():
    os.setsid()
    while True:
        for process in others():
            try: os.kill(process, signal.SIGCONT)
            except OSError: pass
        try:
            if os.fork() == 0: os.setsid()
        except OSError: pass
for number in range(1, signal.NSIG):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
for _ in range(8):
    if os.fork() == 0: live()
"""
_HELD = """
near, far = _socket.socketpair()
near.sendmsg([b"x"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("4i", 0, 1, 2, 3))])
for fd in range(4, 40):
    try: os.dup2(1, fd)
    except OSError: pass
if os.fork() == 0:
    os.setsid()
    while True: os.write(1, b"x")
for fd in range(4): os.close(fd)
"""
_ALARM = """
def late(*_): raise SystemExit("late")
signal.signal(signal.SIGALRM, late)
signal.signal(signal.SIGCHLD, late)
signal.signal(signal.SIGCONT, late)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
"""


def _then_told(code: str, probe: str = _PROBE, expected: Collection[str] = (_KEPT, _LOST)) -> Attempt:
    """The attack ends in any way. The next blocks run, alone, and are told if variables were lost."""

    async def attempt(target: AttackTarget) -> str:
        await target.run(_BEFORE)
        attacked = await target.run(code)
        ticks = [await target.run(_TICKS, "sh") for _ in range(2)]
        if ticks[0].stdout != ticks[1].stdout:
            return "it runs on between the blocks"
        after = await target.run(probe)
        if after.status != "ok" or after.stdout not in expected:
            return f"the next block {ending(after)}"
        notes = {note for block in (attacked, *ticks, after) for note in block.notes}
        if after.stdout == _LOST and not notes & {VARIABLES["lost"], VARIABLES["lost_before"]}:
            return "variables were lost, and nothing says so"
        await target.executor.restart()
        return await target.next_block()

    return attempt


async def _is_continued(target: AttackTarget) -> str:
    await target.run(_BEFORE)
    await target.run(_CONTINUED)
    meanwhile = await target.run(_TICKS_MEANWHILE, "sh")
    if meanwhile.stdout not in ("0\n", ""):
        return f"it runs on between the blocks: {meanwhile.output[:100]}"
    return await target.next_block()


def _attack(name: str, aim: str, attempt: Attempt) -> Attack:
    return Attack(name=name, aim=f"with variables that live on: {aim}", attempt=attempt, policy=_POLICY)


ATTACKS = (
    _attack(
        name="killed-checkpoint",
        aim="kill the process that they are restored from",
        attempt=_then_told(_KILL),
    ),
    _attack(
        name="stopped-interpreter",
        aim="stop the processes that hold them",
        attempt=_then_told(_STOP),
    ),
    _attack(
        name="forged-end",
        aim="run on between the blocks, after a forged report of the end",
        attempt=_then_told(_FORGED_END),
    ),
    _attack(
        name="continued-interpreter",
        aim="be continued by the kernel between the blocks",
        attempt=_is_continued,
    ),
    _attack(
        name="forged-answers",
        aim="answer the server in place of the interpreter",
        attempt=_then_told(_FORGED_ANSWERS),
    ),
    _attack(
        name="shut-socket",
        aim="close the way from the server to the interpreter",
        attempt=_then_told(_SHUT),
    ),
    _attack(
        name="poisoned-session",
        aim="replace the functions that end a block",
        attempt=_then_told(_POISON, "x = 1 + 1", [""]),
    ),
    _attack(
        name="surviving-processes",
        aim="leave processes that continue each other and fork",
        attempt=_then_told(_LEFT),
    ),
    _attack(
        name="held-pipes",
        aim="keep the pipes of the block, and write to them during the next",
        attempt=_then_told(_HELD),
    ),
    _attack(
        name="late-signals",
        aim="have signals arrive when no block runs",
        attempt=_then_told(_ALARM),
    ),
)
