"""Run the cases of the sandboxes in turn, and print medians beside AutoGen's Docker executor and the goals."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import io
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from symposia.core.exceptions import SandboxError
from symposia.ext.code_executors import sandbox_kind
from symposia.ext.code_executors.docker import DockerBackend

PROGRAM = Path(__file__).with_name("sandbox_cases.py")
AUTOGEN = "autogen"
KINDS = (AUTOGEN, "docker", "bubblewrap", "namespaces")
CASES = ("plain", "pandas", "stateful", "start", "deaf", "flood", "orphan", "memory", "crowd")
OURS_ALONE = (
    "stateful",
    "memory",
    "crowd",
)  # AutoGen's blocks share nothing, its container holds no pandas, and thirty of them stop for five minutes
GOALS = {
    "plain block, ms": 5,
    "plain block, p95, ms": 15,
    "pandas block, ms": 15,
    "pandas block, p95, ms": 30,
    "one behind the other, ms": 10,
    "stateful block, ms": 8,
    "stateful block, p95, ms": 15,
    "start and first block, ms": 900,
    "new sandbox from the pool, ms": 5,
    "new sandbox, forked, ms": 30,
    "over the time limit, ms": 50,
    "1 GB of output, ms": 100,
    "1 GB of output, MiB more on the host": 5,
    "close, ms": 300,
    "gone after kill -9, s": 2,
    "a live pandas sandbox, MiB": 60,
    "one of 30 forked, MiB": 12,
    "30 sandboxes at once, blocks/s": 100,
    "60 blocks a second over 30, p95, ms": 20,
}
IMAGE = "symposia-bench-pandas"
WIDTH = 120
WHOLE = 100
"""From here on without decimals."""


async def working(kinds: Sequence[str], console: Console) -> list[str]:
    """Set the kinds up, and leave out, with the reason, those that do not work here."""
    found: list[str] = []
    for kind in kinds:
        backend = DockerBackend() if kind == AUTOGEN else sandbox_kind(kind).make()
        try:
            await backend.set_up(console.print)
            reason = await backend.unavailable_reason()
        except SandboxError as error:
            reason = str(error)
        if reason:
            console.print(f"{kind} is left out: {reason}", style="yellow")
        else:
            found.append(kind)
    return found


def image_for_autogen() -> str:
    """The image of Symposia's Docker sandboxes with its Python as ``python``, as AutoGen's executor starts it."""
    prepared = importlib.import_module("symposia.ext.code_executors.docker._image").prepared_image("python:3.11-slim")
    client = importlib.import_module("docker").from_env()
    recipe = f'FROM {prepared}\nENV PATH=/opt/symposia/bin:/usr/local/bin:/usr/bin:/bin\nCMD ["sh"]\n'
    try:
        client.images.build(fileobj=io.BytesIO(recipe.encode()), tag=IMAGE, network_mode="none")
    finally:
        client.close()
    return IMAGE


def remove_containers_of_autogen() -> None:
    """Remove the containers that killed programs have left, and the folders of all."""
    client = importlib.import_module("docker").from_env()
    try:
        for container in client.containers.list(all=True, filters={"name": "symposia-bench-"}):
            container.remove(force=True)
    finally:
        client.close()
    for folder in Path(tempfile.gettempdir()).glob("symposia-bench-*"):
        shutil.rmtree(folder, ignore_errors=True)


def run_case(python: str, kind: str, case: str, image: str) -> dict[str, float]:
    """Run one case in a process of its own."""
    command = [python, str(PROGRAM), kind, case, image]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
    return json.loads(done.stdout.splitlines()[-1])


def table(figures: dict[str, dict[str, list[float]]], kinds: Sequence[str]) -> Table:
    """A row for each figure; of a figure that a kind does not have, nothing."""
    made = Table(Column("figure", no_wrap=True), title="Medians of the rounds, and the largest")
    for heading in ("AutoGen 0.7.5" if kind == AUTOGEN else kind for kind in kinds):
        made.add_column(heading, justify="right")
    made.add_column("goal", justify="right")
    for name, of_kinds in figures.items():
        made.add_row(name, *(_cell(of_kinds.get(kind, [])) for kind in kinds), str(GOALS.get(name, "")))
    return made


def _cell(values: Sequence[float]) -> str:
    if not values:
        return ""
    median, largest = (_number(value) for value in (statistics.median(values), max(values)))
    return median if len(values) == 1 else f"{median} ({largest})"


def _number(value: float) -> str:
    if value == float("inf"):
        return "not in 20 s"
    return f"{value:,.0f}" if value >= WHOLE else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--autogen", required=True, help="the Python of an environment with AutoGen 0.7.5 and docker")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--kinds", default=",".join(KINDS), help=f"among: {', '.join(KINDS)} (default: all)")
    parser.add_argument("cases", nargs="*", metavar="case", help=f"among: {', '.join(CASES)} (default: all)")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    if unknown := set(arguments.cases) - set(CASES) | set(arguments.kinds.split(",")) - set(KINDS):
        parser.error(f"no such case or kind: {', '.join(sorted(unknown))}")
    kinds = asyncio.run(working(arguments.kinds.split(","), console))
    image = image_for_autogen() if AUTOGEN in kinds else ""
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    try:
        for case in arguments.cases or CASES:
            for number in range(arguments.rounds):
                for kind in kinds:
                    if kind == AUTOGEN and case in OURS_ALONE:
                        continue
                    console.print(f"{case}, {kind}, round {number + 1} of {arguments.rounds}", style="dim")
                    python = arguments.autogen if kind == AUTOGEN else sys.executable
                    for name, value in run_case(python, kind, case, image).items():
                        figures[name][kind].append(value)
    finally:
        if AUTOGEN in kinds:
            remove_containers_of_autogen()
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table(figures, kinds))


if __name__ == "__main__":
    main()
