"""Run the cases on both libraries, in turn, and print medians, ratios and the noise between rounds."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

CASES = (
    "rpc",
    "fanout",
    "actors",
    "turns",
    "nested",
    "graph",
    "magentic",
    "many_teams",
    "assistant",
    "stream",
    "state",
    "mcp",
    "one",
    "imports",
)
CASES_V02 = ("chat", "group", "imports")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Both sides import bytecode, so that neither is charged for compiling its sources."""

WIDTH = 120
"""Columns of the table where it goes into a file or a pipe, so that no figure is cut."""


@dataclass(frozen=True)
class Suite:
    """A program whose cases run on both libraries."""

    program: str
    cases: Sequence[str]
    autogen: str


SUITES = {
    "v0.4": Suite("cases.py", CASES, "AutoGen 0.7.5"),
    "v0.2": Suite("v02_cases.py", CASES_V02, "AutoGen 0.2.40"),
}


@dataclass
class Row:
    """One figure of one case, over all rounds."""

    case: str
    figure: str
    autogen: list[float] = field(default_factory=list[float])
    symposia: list[float] = field(default_factory=list[float])

    @property
    def better(self) -> float:
        """How many times better Symposia's median is: a rate by its size, a cost by its inverse."""
        ratio = statistics.median(self.symposia) / statistics.median(self.autogen)
        return ratio if self.figure.endswith("/s") else 1 / ratio


def run_case(python: str, suite: Suite, library: str, case: str) -> dict[str, float]:
    command = [python, str(Path(__file__).with_name(suite.program)), library, case]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)  # noqa: S603 - our own program
    return json.loads(done.stdout.splitlines()[-1])


def measure(autogen: str, suite: Suite, cases: Sequence[str], rounds: int, console: Console) -> list[Row]:
    rows: dict[tuple[str, str], Row] = {}
    for case in cases:
        for number in range(rounds):
            console.print(f"{case}, round {number + 1} of {rounds}", style="dim")
            for figure, value in run_case(autogen, suite, "autogen", case).items():
                rows.setdefault((case, figure), Row(case, figure)).autogen.append(value)
            for figure, value in run_case(sys.executable, suite, "symposia", case).items():
                rows.setdefault((case, figure), Row(case, figure)).symposia.append(value)
    return list(rows.values())


def spread(values: Sequence[float]) -> str:
    """The distance between the extremes, as a share of the median."""
    return f"± {(max(values) - min(values)) / 2 / statistics.median(values):.0%}"


def table(rows: Sequence[Row], autogen: str) -> Table:
    made = Table("case", Column("figure", no_wrap=True), title="Medians; ± is half the distance between the extremes")
    for heading in (autogen, "±", "Symposia", "±", "times better"):
        made.add_column(heading, justify="right")
    for row in rows:
        made.add_row(
            row.case,
            row.figure,
            f"{statistics.median(row.autogen):,.1f}",
            spread(row.autogen),
            f"{statistics.median(row.symposia):,.1f}",
            spread(row.symposia),
            f"{row.better:.1f}",
        )
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--autogen", required=True, help="the Python of an environment with AutoGen")
    parser.add_argument("--suite", choices=SUITES, default="v0.4", help="the AutoGen whose programs are compared")
    parser.add_argument("--rounds", type=int, default=3)
    names = f"among: {', '.join(CASES)}; of v0.2: {', '.join(CASES_V02)} (default: all)"
    parser.add_argument("cases", nargs="*", metavar="case", help=names)
    arguments = parser.parse_args()
    suite = SUITES[arguments.suite]
    if unknown := set(arguments.cases) - set(suite.cases):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    rows = measure(arguments.autogen, suite, arguments.cases or suite.cases, arguments.rounds, Console(stderr=True))
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table(rows, suite.autogen))


if __name__ == "__main__":
    main()
