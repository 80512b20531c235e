"""Time calls of models through each library, in turn, and print medians of the rounds.

The answers come from the formats of the scripted model server, without a server: `model_cases.py` has them in place of
the network.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compare import ENVIRONMENT, WIDTH
from rich.console import Console
from rich.table import Column, Table

from symposia.testing.model_server import Reply, _anthropic, _gemini, _ollama, _openai, _openai_responses

CHUNKS = 1_000
FORMATS = {
    "openai": _openai,
    "openai-responses": _openai_responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "ollama": _ollama,
}
EVERYWHERE = ("sdk", "symposia")
OTHERS = ("autogen", "litellm", "pydantic-ai")
"""Timed with OpenAI's Chat Completions alone."""
GOALS = {"a call with 1,000 messages": 100, "a chunk": 20}
"""Microseconds beyond the vendor's SDK, at most."""


def write_answers(folder: Path) -> dict[str, Path]:
    """A file of answers for each vendor."""
    words = " ".join(f"word{number}" for number in range(CHUNKS))  # LiteLLM refuses a stream that repeats itself
    files: dict[str, Path] = {}
    for vendor, wire in FORMATS.items():
        fields: dict[str, Any] = {
            "model": "m",
            "messages": [],
            "input": [],
            "contents": [],
            "stream_options": {"include_usage": True},
        }
        pieces = [piece.decode() for piece in wire.events(Reply(text=words), fields)]
        whole = json.dumps(wire.whole(Reply(text="Hello."), fields))
        files[vendor] = folder / f"{vendor}.json"
        files[vendor].write_text(json.dumps({"whole": whole, "pieces": pieces, "type": wire.STREAM_TYPE}))
    return files


def run_case(python: str, library: str, vendor: str, answers: Path) -> dict[str, float]:
    """The figures of one library, in a process of its own, in microseconds."""
    command = [python, str(Path(__file__).with_name("model_cases.py")), library, vendor, str(answers)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)  # noqa: S603 - our own program
    return {name: seconds * 1e6 for name, seconds in json.loads(done.stdout.splitlines()[-1]).items()}


def table(figures: dict[tuple[str, str], dict[str, list[float]]], libraries: Sequence[str]) -> Table:
    made = Table("vendor", Column("µs of the processor", no_wrap=True), title="Medians of the rounds")
    for library in libraries:
        made.add_column(library, justify="right")
    made.add_column("beyond the SDK", justify="right")
    made.add_column("goal", justify="right")
    for (vendor, figure), times in figures.items():
        medians = {library: statistics.median(values) for library, values in times.items()}
        difference = medians["symposia"] - medians["sdk"] if len(medians) > 1 and "sdk" in medians else None
        made.add_row(
            vendor,
            figure,
            *(_number(medians.get(library)) for library in libraries),
            "" if difference is None else f"{difference:+,.0f}" if abs(difference) >= 20 else f"{difference:+.1f}",  # noqa: PLR2004
            f"{GOALS[figure]}" if figure in GOALS else "",
        )
    return made


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 20 else f"{value:.1f}"  # noqa: PLR2004


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for library in OTHERS:
        parser.add_argument(f"--{library}", metavar="PYTHON", help="the Python of an environment with it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("vendors", nargs="*", metavar="vendor", help=f"among: {', '.join(FORMATS)} (default: all)")
    arguments = parser.parse_args()
    if unknown := set(arguments.vendors) - set(FORMATS):
        parser.error(f"no such vendor: {', '.join(sorted(unknown))}")
    given = {library: getattr(arguments, library.replace("-", "_")) for library in OTHERS}
    pythons = dict.fromkeys(EVERYWHERE, sys.executable) | {name: path for name, path in given.items() if path}
    figures: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder:
        files = write_answers(Path(folder))
        for vendor in arguments.vendors or FORMATS:
            for number in range(arguments.rounds):
                for library in pythons if vendor == "openai" else EVERYWHERE:
                    console.print(f"{vendor}, {library}, round {number + 1} of {arguments.rounds}", style="dim")
                    for name, time in run_case(pythons[library], library, vendor, files[vendor]).items():
                        figures[vendor, name][library].append(time)
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table(figures, list(pythons)))


if __name__ == "__main__":
    main()
