"""Attacks on the block that runs next, in the same sandbox: whatever a block does, the next one runs."""

from __future__ import annotations

from symposia.core.code_executor import MIB, SandboxPolicy
from symposia.ext.code_executors.attacks._target import Attack, AttackTarget, Attempt, ending

_MANY_FILES = "for number in range(6000): open(f'/tmp/{number}', 'w').close()"
_FULL_DISK = """
for folder in ("/tmp", "/dev/shm", "/work"):
    try:
        with open(f"{folder}/full", "wb", buffering=0) as full:
            while True: full.write(bytes(1 << 20))
    except OSError: pass
"""
_SCRIPT_IN_THE_WAY = """
import os
for name in (".block.py", ".block.sh"):
    if os.path.lexists(name): os.unlink(name)
    os.mkdir(name)
    open(name + "/kept", "w").close()
"""
_POISONED_INTERPRETER = """
import builtins, ctypes, json, os, resource, signal, sys, threading, time
builtins.sorted = json.dumps = os.listdir = lambda *_: "poisoned"
sys.modules["json"].dumps = lambda *_: "poisoned"
for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS, resource.RLIMIT_FSIZE):
    try: resource.setrlimit(kind, (3, 3))
    except (OSError, ValueError): pass
signal.signal(signal.SIGTERM, signal.SIG_IGN)
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
"""
_POISONED_FOLDERS = """
import os, sys
site = f"/tmp/.local/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
os.makedirs(site)
modules = "sitecustomize usercustomize tokenize linecache traceback token contextlib weakref resource".split()
for path in (f"{site}/usercustomize.py", *(f"/work/{name}.py" for name in modules)):
    open(path, "w").write("raise SystemExit('poisoned')")
open(f"{site}/poison.pth", "w").write("import sys; sys.exit('poisoned')")
for name in ("python3", "ls", "sh", "cat"):
    open(name, "w").write("#!/bin/sh\\necho poisoned"); os.chmod(name, 0o755)
for folder in ("/tmp", "/dev/shm", "/work"):
    try: os.chmod(folder, 0)
    except OSError: pass
"""
_CLOSED_BY_LISTS = """
import os, struct
nobody = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", kind, 0, 0xFFFFFFFF) for kind in (1, 4, 32))
for folder in ("/tmp", "/dev/shm", "/work"):
    for name in ("system.posix_acl_default", "system.posix_acl_access"):
        try: os.setxattr(folder, name, nobody)
        except OSError: pass
"""
_FORK_AT_EXIT = """
import atexit, os, time
def leave():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True: time.sleep(0.01)
        os._exit(0)
atexit.register(leave)
"""
_COUNT_PROCESSES = "import os; print(len([name for name in os.listdir('/proc') if name.isdigit()]))"
_KILL_THE_SERVER = """
import ctypes, os, signal
libc = ctypes.CDLL(None)
for number in range(1, signal.NSIG):
    try: os.kill(1, number)
    except OSError: pass
libc.ptrace(16, 1, 0, 0)
libc.prlimit(1, 0, (ctypes.c_uint64 * 2)(1, 1), None)
for fd in range(3, 200):
    try: os.write(fd, b"\\xff" * 100)
    except OSError: pass
for name in ("mem", "fd/0", "fd/1", "oom_score_adj"):
    try: open(f"/proc/1/{name}", "wb").write(b"1000")
    except OSError: pass
os.kill(-1, 9)
"""
_STUBBORN = """
import os, signal, time
for number in range(1, signal.NSIG):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
for _ in range(3): os.fork()
os.setsid() if os.getpgrp() != os.getpid() else None
while True: pass
"""
_OUTPUT = "import os\nwhile True: os.write(1, b'x' * 65536)"


def _then_the_next(code: str, *ended: str) -> Attempt:
    """The attack ends as one of `ended`, or in any way, and two blocks after it run."""

    async def attempt(target: AttackTarget) -> str:
        if problem := await target.next_block():
            return problem
        result = await target.run(code)
        if ended and result.status not in ended:
            return f"it {ending(result)}"
        return await target.next_block() or await target.next_block()

    return attempt


async def _closed_by_lists(target: AttackTarget) -> str:
    await target.run(_CLOSED_BY_LISTS)
    result = await target.run("echo $((1 + 1)) > new && cat new", "sh")
    if (result.status, result.output, len(result.artifacts)) != ("ok", "2\n", 1):
        return f"the next block {ending(result)}"
    return await target.next_block()


async def _left_behind(target: AttackTarget) -> str:
    before = (await target.run(_COUNT_PROCESSES)).output
    await target.run(_FORK_AT_EXIT)
    after = (await target.run(_COUNT_PROCESSES)).output
    return "" if after == before else f"there were {before.strip()} processes before it, and {after.strip()} after it"


async def _path_of_programs(target: AttackTarget) -> str:
    await target.run(_POISONED_FOLDERS)
    result = await target.run("ls / >/dev/null; command -v ls", "sh")
    return f"a program of the work folder runs as {result.output}" if "/work" in result.output else ""


ATTACKS = (
    Attack(
        name="inodes",
        aim="use up the files of a folder, so that every later block fails",
        attempt=_then_the_next(_MANY_FILES),
    ),
    Attack(
        name="full-disk",
        aim="fill all folders, so that every later block fails",
        attempt=_then_the_next(_FULL_DISK),
        policy=SandboxPolicy(work_bytes=8 * MIB, tmp_bytes=8 * MIB),
    ),
    Attack(
        name="script",
        aim="put a folder where the next block's script goes",
        attempt=_then_the_next(_SCRIPT_IN_THE_WAY),
    ),
    Attack(
        name="poisoned-interpreter",
        aim="change the interpreter, its limits and its threads for the next block",
        attempt=_then_the_next(_POISONED_INTERPRETER),
    ),
    Attack(
        name="poisoned-folders",
        aim="leave code that the next block's interpreter runs at its start",
        attempt=_then_the_next(_POISONED_FOLDERS),
    ),
    Attack(
        name="access-lists",
        aim="close the folders to the next block by their access control lists",
        attempt=_closed_by_lists,
    ),
    Attack(name="path", aim="have a program of the work folder run instead of the system's", attempt=_path_of_programs),
    Attack(name="fork-at-exit", aim="leave processes behind, from an exit handler", attempt=_left_behind),
    Attack(
        name="kill-the-server",
        aim="kill, trace or limit the sandbox's own server",
        attempt=_then_the_next(_KILL_THE_SERVER),
    ),
    Attack(
        name="ignored-signals",
        aim="run on after the time limit, ignoring every signal",
        attempt=_then_the_next(_STUBBORN, "timeout"),
        policy=SandboxPolicy(time_limit=2),
    ),
    Attack(name="output", aim="print without end", attempt=_then_the_next(_OUTPUT, "output_limit")),
)
