"""The same code blocks in AutoGen's Docker executor and in Symposia's sandboxes: time, memory, limits, ends.

    python sandbox_cases.py KIND CASE [IMAGE]      prints one JSON object: figure name to number

KIND is ``autogen``, ``docker``, ``bubblewrap`` or ``namespaces``. IMAGE is what AutoGen's container runs, with
pandas. What a user waits for is measured by the clock, through the executors' common interface.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import logging
import math
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

KIND, IMAGE = sys.argv[1], (sys.argv[3:] or [""])[0]
if TYPE_CHECKING:
    from symposia import core
    from symposia.core import code_executor
else:
    _core = "autogen_core" if KIND == "autogen" else "symposia.core"
    core = importlib.import_module(_core)
    code_executor = importlib.import_module(_core + ".code_executor")

Figures = dict[str, float]
MS = 1000
PLAIN = "print(1 + 1)"
PANDAS = """
import numpy as np, pandas as pd
print(pd.DataFrame({"x": np.arange(1000) % 7, "y": np.arange(1000)}).groupby("x").y.sum().sum())
"""
DEAF = """
import signal
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
while True:
    pass
"""
FLOOD = """
import sys
for _ in range(1024):
    sys.stdout.write("x" * (1 << 20))
"""
THINKING_SECONDS = 0.05
"""Between two blocks, as an answer of a model is at least: a sandbox prepares for the next block meanwhile."""
REFILL_SECONDS = 6.0
"""Until the pool has another sandbox, on a busy machine too."""
TIME_LIMIT = 1
TIMEOUT_EXIT_CODE = 124
PATIENCE = 20.0
"""Seconds after which something that should have ended is said not to end."""
NUMBERS = itertools.count()
"""Of AutoGen's containers: the engine may still be removing the last one when the next is made."""
CROWD, CROWD_RATE, CROWD_SECONDS = 30, 60, 5.0


def name_of(owner: int) -> str:
    """The name of AutoGen's container of a process, by which it is found when that is dead."""
    return f"symposia-bench-{owner}"


def backend() -> Any:  # Any: a `SandboxBackend`, which AutoGen does not have
    """The sandbox backend of this kind, whose sandboxes start one by one."""
    if KIND == "namespaces":
        return importlib.import_module("symposia.ext.code_executors.namespaces").NamespaceBackend(fork=False)
    return importlib.import_module("symposia.ext.code_executors").sandbox_kind(KIND).make()


def make_executor(timeout: int = 60) -> Any:  # Any: AutoGen's executor or ours
    """An executor that is not started."""
    if KIND != "autogen":
        return importlib.import_module("symposia.ext.code_executors").SandboxCodeExecutor(backend(), timeout=timeout)
    docker = importlib.import_module("autogen_ext.code_executors.docker")
    name = f"{name_of(os.getpid())}-{next(NUMBERS)}"
    folder = tempfile.mkdtemp(prefix=name)
    return docker.DockerCommandLineCodeExecutor(image=IMAGE, container_name=name, timeout=timeout, work_dir=folder)


@asynccontextmanager
async def started(timeout: int = 60) -> AsyncGenerator[Any]:
    """An executor that has run a block, and had three seconds as while a model answers for the first time."""
    executor = make_executor(timeout)
    await executor.start()
    await run(executor, PLAIN)
    await asyncio.sleep(3)
    try:
        yield executor
    finally:
        await executor.stop()


async def run(executor: Any, source: str) -> float:
    """Run a block; the milliseconds that it took."""
    began = time.perf_counter()
    block = code_executor.CodeBlock(code=source, language="python")
    result = await executor.execute_code_blocks([block], core.CancellationToken())
    took = (time.perf_counter() - began) * MS
    assert result.exit_code == 0, result.output
    return took


def p95(values: Sequence[float]) -> float:
    """The 95th percentile: the nearest rank."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


async def _blocks(source: str, count: int, pause: float) -> list[float]:
    async with started() as executor:
        await run(executor, source)
        taken: list[float] = []
        for _ in range(count):
            await asyncio.sleep(pause)
            taken.append(await run(executor, source))
        return taken


async def plain() -> Figures:
    """A block that prints: with a pause before each, and one behind the other."""
    count = 20 if KIND == "autogen" else 60
    paused, behind = await _blocks(PLAIN, count, THINKING_SECONDS), await _blocks(PLAIN, count, 0)
    return {
        "plain block, ms": statistics.median(paused),
        "plain block, p95, ms": p95(paused),
        "one behind the other, ms": statistics.median(behind),
    }


async def pandas() -> Figures:
    """A block that imports pandas."""
    taken = await _blocks(PANDAS, 10 if KIND == "autogen" else 60, THINKING_SECONDS)
    return {"pandas block, ms": statistics.median(taken), "pandas block, p95, ms": p95(taken)}


async def stateful() -> Figures:
    """A block that uses a variable of the one before, where pandas is imported."""
    sandbox = await backend().create(code_executor.SandboxPolicy(stateful=True))
    try:
        await sandbox.run(f"{PANDAS}\ncount = 0", "python")
        await asyncio.sleep(3)
        taken: list[float] = []
        for number in range(60):
            await asyncio.sleep(THINKING_SECONDS)
            began = time.perf_counter()
            result = await sandbox.run("count += 1; print(count)", "python")
            taken.append((time.perf_counter() - began) * MS)
            assert result.stdout == f"{number + 1}\n", result
        return {"stateful block, ms": statistics.median(taken), "stateful block, p95, ms": p95(taken)}
    finally:
        await sandbox.close()


async def start() -> Figures:
    """A new executor with its sandbox, and its end; the first one is not counted."""
    starts: list[float] = []
    ends: list[float] = []
    for _ in range(3 if KIND == "autogen" else 6):
        executor = make_executor()
        began = time.perf_counter()
        await executor.start()
        await run(executor, PLAIN)
        starts.append((time.perf_counter() - began) * MS)
        began = time.perf_counter()
        await executor.stop()
        ends.append((time.perf_counter() - began) * MS)
    figures = {
        "start and first block, ms": statistics.median(starts[1:]),
        "close, ms": statistics.median(ends[1:]),
    }
    if KIND != "autogen":
        figures["new sandbox from the pool, ms"] = await _from_pool()
    if KIND == "namespaces":
        figures["new sandbox, forked, ms"] = await _forked()
    return figures


async def forking_backend() -> Any:  # Any: as above
    """The backend whose sandboxes are forked, when it is ready for that."""
    forking = importlib.import_module("symposia.ext.code_executors.namespaces").NamespaceBackend()
    await forking.prepare_fork(code_executor.SandboxPolicy())
    return forking


async def _forked() -> float:
    forking = await forking_backend()
    taken: list[float] = []
    for _ in range(30):
        await asyncio.sleep(THINKING_SECONDS)
        began = time.perf_counter()
        sandbox = await forking.create(code_executor.SandboxPolicy())
        taken.append((time.perf_counter() - began) * MS)
        await sandbox.close()
    return statistics.median(taken)


async def _from_pool() -> float:
    library = importlib.import_module("symposia.ext.code_executors")
    policy = code_executor.SandboxPolicy()
    taken: list[float] = []
    async with library.SandboxPool(backend(), size=1) as pool:
        pool.prepare(policy)
        for _ in range(6):
            await asyncio.sleep(REFILL_SECONDS)
            began = time.perf_counter()
            sandbox = await pool.create(policy)
            taken.append((time.perf_counter() - began) * MS)
            await sandbox.close()
    return statistics.median(taken)


async def deaf() -> Figures:
    """A block over its time limit that ignores all signals that can be ignored."""
    async with started(TIME_LIMIT) as executor:
        over: list[float] = []
        for _ in range(1 if KIND == "autogen" else 5):
            began = time.perf_counter()
            block = code_executor.CodeBlock(code=DEAF, language="python")
            running = asyncio.ensure_future(executor.execute_code_blocks([block], core.CancellationToken()))
            ended, _ = await asyncio.wait([running], timeout=PATIENCE)
            if not ended:
                _leave({"over the time limit, ms": math.inf})
            assert running.result().exit_code == TIMEOUT_EXIT_CODE, running.result().output
            over.append((time.perf_counter() - began - TIME_LIMIT) * MS)
        return {"over the time limit, ms": statistics.median(over)}


async def flood() -> Figures:
    """A block that prints a gigabyte: until its result is there, and by how much the host's process has grown."""
    async with started() as executor:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        block = code_executor.CodeBlock(code=FLOOD, language="python")
        await executor.execute_code_blocks([block], core.CancellationToken())
        took = (time.perf_counter() - began) * MS
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        return {"1 GB of output, ms": took, "1 GB of output, MiB more on the host": grown}


async def orphan() -> Figures:
    """A program that starts a sandbox is killed: seconds until nothing of the sandbox is left."""
    child = subprocess.Popen(  # noqa: ASYNC220, S603 - ourselves; nothing else runs here
        [sys.executable, __file__, KIND, "wait_to_be_killed", IMAGE], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "started\n"
    processes = set(_below(child.pid))
    assert processes or await _has_container(child.pid)
    child.send_signal(signal.SIGKILL)
    began = time.perf_counter()
    child.wait()
    while await _has_container(child.pid) or any(map(_runs, processes)):
        if time.perf_counter() - began > PATIENCE:
            return {"gone after kill -9, s": math.inf}
        await asyncio.sleep(0.02)
    return {"gone after kill -9, s": time.perf_counter() - began}


def _runs(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def _below(process: int) -> Iterator[int]:
    """The processes that a process has started, and those that they have."""
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            yield child
            yield from _below(child)


async def _has_container(owner: int) -> bool:
    if KIND == "autogen":
        client = importlib.import_module("docker").from_env()
        try:
            return bool(await asyncio.to_thread(client.containers.list, all=True, filters={"name": name_of(owner)}))
        finally:
            client.close()
    return KIND == "docker" and any(each.owner == owner for each in await backend().running())


async def wait_to_be_killed() -> Figures:
    """The program of `orphan`."""
    executor = make_executor()
    await executor.start()
    await run(executor, PLAIN)
    print("started", flush=True)
    await asyncio.Event().wait()
    return {}


async def memory() -> Figures:
    """What a sandbox with pandas imported holds between two blocks."""
    sandbox = await backend().create(code_executor.SandboxPolicy())
    try:
        await sandbox.run(PANDAS, "python")
        await asyncio.sleep(4)
        found = [each.memory_bytes for each in await backend().running() if each.owner == os.getpid()]
        assert len(found) == 1, found
        figures = {"a live pandas sandbox, MiB": found[0] / 1024 / 1024}
    finally:
        await sandbox.close()
    if KIND == "namespaces":
        for count in (10, CROWD):
            figures[f"one of {count} forked, MiB"] = await _memory_of_forked(count)
    return figures


async def _memory_of_forked(count: int) -> float:
    """The memory of sandboxes and all processes that they need, for each sandbox; what they share is counted once."""
    forking = await forking_backend()
    sandboxes = [await forking.create(code_executor.SandboxPolicy()) for _ in range(count)]
    for sandbox in sandboxes:
        assert (await sandbox.run(PANDAS, "python")).status == "ok"
    await asyncio.sleep(2)
    total = sum(map(_proportional_bytes, _descendants(os.getpid())))
    for sandbox in sandboxes:
        await sandbox.close()
    return total / count / 1024 / 1024


def _descendants(process: int) -> Iterator[int]:
    for thread in Path(f"/proc/{process}/task").iterdir():
        for child in map(int, (thread / "children").read_text().split()):
            yield child
            yield from _descendants(child)


def _proportional_bytes(process: int) -> int:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


async def crowd() -> Figures:
    """Thirty sandboxes: as many blocks as they can, then sixty a second."""
    policy = code_executor.SandboxPolicy()
    sandboxes = [await backend().create(policy) for _ in range(CROWD)]
    await asyncio.sleep(0.7 * CROWD)  # until all have imported pandas
    taken: list[float] = []

    async def block(sandbox: Any) -> None:
        began = time.perf_counter()
        assert (await sandbox.run(PLAIN, "python")).status == "ok"
        taken.append((time.perf_counter() - began) * MS)

    async def at_once(sandbox: Any, until: float) -> None:
        while time.perf_counter() < until:
            await block(sandbox)

    async def paced(number: int, sandbox: Any, began: float) -> None:
        for turn in range(int(CROWD_SECONDS * CROWD_RATE / CROWD)):
            due = began + (turn * CROWD + number) / CROWD_RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await block(sandbox)

    try:
        until = time.perf_counter() + CROWD_SECONDS
        await asyncio.gather(*(at_once(each, until) for each in sandboxes))
        rate = len(taken) / CROWD_SECONDS
        taken.clear()
        await asyncio.sleep(1)
        began = time.perf_counter()
        await asyncio.gather(*(paced(number, each, began) for number, each in enumerate(sandboxes)))
        return {
            "30 sandboxes at once, blocks/s": rate,
            "60 blocks a second over 30, p95, ms": p95(taken),
        }
    finally:
        await asyncio.gather(*(each.close() for each in sandboxes))


def _leave(figures: Figures) -> None:
    """End at once with what is known: a thread of AutoGen waits for a block that does not end."""
    print(json.dumps(figures), flush=True)
    os._exit(0)


CASES: dict[str, Callable[[], Awaitable[Figures]]] = {
    case.__name__: case
    for case in (plain, pandas, stateful, start, deaf, flood, orphan, memory, crowd, wait_to_be_killed)
}


async def _run(name: str) -> Figures:
    return await CASES[name]()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(asyncio.run(_run(sys.argv[2]))))
