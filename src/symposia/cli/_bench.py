"""`symposia sandbox bench`: how long a sandbox takes on this machine to start, to run a block, and to end."""

from __future__ import annotations

import asyncio
import json
import math
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import typer

from symposia.cli._exit import fail, status_of_error, stopped_by_interrupt
from symposia.cli._sandboxes import check_sandbox_name, chosen_sandbox
from symposia.core.code_executor import Sandbox, SandboxBackend, SandboxPolicy
from symposia.core.exceptions import SandboxError, SandboxUnavailableError, SymposiaError

PLAIN: Final = "print(1 + 1)"
PANDAS: Final = """
import numpy as np, pandas as pd
print(pd.DataFrame({"x": np.arange(1000) % 7, "y": np.arange(1000)}).groupby("x").y.sum().sum())
"""
BEGINNING: Final = "total = 0"
NEXT: Final = "total += 1; print(total)"
"""A block that needs the variables of the one before."""
THINKING_SECONDS: Final = 3.0
"""Between the start of the sandbox and its first block, as a model takes them to answer: the sandbox imports libraries
meanwhile, and not while it runs block after block."""
HIGH: Final = 0.95
MILLISECONDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Figure:
    """The durations of one activity, in seconds."""

    name: str
    seconds: list[float] = field(default_factory=list[float])

    @property
    def median(self) -> float:
        """The median, in milliseconds."""
        return statistics.median(self.seconds) * MILLISECONDS

    @property
    def p95(self) -> float:
        """The 95th percentile, in milliseconds: the nearest rank, which is the largest where there are few."""
        return sorted(self.seconds)[math.ceil(HIGH * len(self.seconds)) - 1] * MILLISECONDS


def bench_and_show(name: str, *, starts: int, blocks: int, as_json: bool) -> None:
    """Measure a sandbox, and show a table, or JSON with durations in milliseconds.

    Raises:
        typer.BadParameter: There is no sandbox of this name.
        typer.Exit: The sandbox does not work here, or ended.
    """
    check_sandbox_name(name)
    backend = chosen_sandbox(name, lambda line: typer.echo(line, err=True))
    try:
        with stopped_by_interrupt(lambda: "Interrupted. The sandbox is stopped."):
            figures = asyncio.run(measure(backend, starts=starts, blocks=blocks))
    except SymposiaError as error:
        fail(str(error), status_of_error(error))
    if as_json:
        document = {each.name: {"median": each.median, "p95": each.p95, "runs": len(each.seconds)} for each in figures}
        json.dump({"sandbox": backend.name, "milliseconds": document}, sys.stdout, indent=2)
        typer.echo()
        return
    typer.echo(f"{backend.name:<16}{'median':>12}{'p95':>12}{'runs':>8}")
    for each in figures:
        typer.echo(f"{each.name:<16}{each.median:>9.1f} ms{each.p95:>9.1f} ms{len(each.seconds):>8}")


async def measure(
    backend: SandboxBackend, *, starts: int, blocks: int, thinking_seconds: float = THINKING_SECONDS
) -> Sequence[Figure]:
    """Measure starts, blocks and ends. The first sandbox is not counted: it makes what is missing.

    Args:
        backend: Makes the sandboxes.
        starts: How many sandboxes are started.
        blocks: How many blocks of each sort run, in one sandbox.
        thinking_seconds: Seconds between the start of that sandbox and its first block.

    Raises:
        SandboxError: The sandbox does not start, or a block fails.
    """
    names = ("cold start", "plain block", "pandas block", "stateful block", "close")
    start, plain, pandas, stateful, end = (Figure(name) for name in names)
    async with _opened(backend) as sandbox:
        await asyncio.sleep(thinking_seconds)
        for code, figure in ((PLAIN, plain), (PANDAS, pandas)):
            await _run(sandbox, code)  # the first one pays for what is made once
            for _ in range(blocks):
                figure.seconds.append(await _run(sandbox, code))
    # A kind without a stateful mode has no such row.
    with suppress(SandboxUnavailableError):
        async with _opened(backend, SandboxPolicy(stateful=True)) as sandbox:
            await asyncio.sleep(thinking_seconds)
            await _run(sandbox, BEGINNING)
            stateful.seconds.extend([await _run(sandbox, NEXT) for _ in range(blocks)])
    for _ in range(starts):
        began = time.perf_counter()
        sandbox = await backend.create(SandboxPolicy())
        start.seconds.append(time.perf_counter() - began)
        began = time.perf_counter()
        await sandbox.close()
        end.seconds.append(time.perf_counter() - began)
    return [figure for figure in (start, plain, pandas, stateful, end) if figure.seconds]


@asynccontextmanager
async def _opened(backend: SandboxBackend, policy: SandboxPolicy | None = None) -> AsyncGenerator[Sandbox]:
    sandbox = await backend.create(policy or SandboxPolicy())
    try:
        yield sandbox
    finally:
        await sandbox.close()


async def _run(sandbox: Sandbox, code: str) -> float:
    began = time.perf_counter()
    result = await sandbox.run(code, "python")
    if result.status != "ok":
        raise SandboxError(f"A block to measure failed ({result.status}): {result.stderr.strip()}")
    return time.perf_counter() - began
