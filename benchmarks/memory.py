"""The memory in SQLite: how fast entries are added, and how long queries take among many.

python memory.py [--entries N]      prints one table

Times are of the clock; those of the processor stand beside, as other programs of the machine count in the first.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from symposia.core.memory import MemoryContent
from symposia.ext.memory.sqlite import SQLiteMemory

WORDS = 20_000
"""Different words, of which the n-th is n times as rare as the first, as in natural language (Zipf)."""

QUERIES = 50
"""Of each kind."""


def sentences() -> Callable[[int], str]:
    """A function that makes sentences of so many words, the same in each run."""
    made = random.Random(1)  # noqa: S311 - no secret
    words = ["".join(made.choices("abcdefghijklmnopqrstuvwxyz", k=made.randint(3, 9))) for _ in range(WORDS)]
    weights = [1 / rank for rank in range(1, WORDS + 1)]
    return lambda count: " ".join(made.choices(words, weights, k=count))


async def measured(path: Path, entries: int) -> Table:
    """Add entries, and ask."""
    table = Table("work", "clock", "processor")
    sentence = sentences()
    contents = [
        MemoryContent(content=sentence(12), mime_type="text/plain", metadata={"source": f"{number % 100}.md"})
        for number in range(entries)
    ]
    async with SQLiteMemory(path) as memory:
        clock, processor = time.perf_counter(), time.process_time()
        await memory.add_many(contents)
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        table.add_row("entries added a second", f"{entries / clock:,.0f}", f"{entries / processor:,.0f}")
        await memory.query("the first query reads the file")
        for words in (1, 4, 12, 100):
            clocks: list[float] = []
            processors: list[float] = []
            for _ in range(QUERIES):
                question, clock, processor = sentence(words), time.perf_counter(), time.process_time()
                await memory.query(question)
                clocks.append(time.perf_counter() - clock)
                processors.append(time.process_time() - processor)
            name = f"a query of {words} {'word' if words == 1 else 'words'} among {entries:,}, ms (median; slowest)"
            table.add_row(
                name, *(f"{statistics.median(each) * 1e3:.1f}; {max(each) * 1e3:.1f}" for each in (clocks, processors))
            )
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Console().print(asyncio.run(measured(Path(folder, "memory.db"), arguments.entries)))


if __name__ == "__main__":
    main()
