"""Tokens and money of calls: summed up by model, with and without answers from a cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from symposia.core.exceptions import InvalidArgumentError
from symposia.v02.io import IOStream

Usage: TypeAlias = Mapping[str, Any]  # Any: of a class of the program
"""``prompt_tokens``, ``completion_tokens``, ``total_tokens``, ``cost`` and ``model``."""

Summary: TypeAlias = dict[str, Any]  # Any: a number under ``total_cost``, a dictionary under each model's name
COUNTS: Final = ("cost", "prompt_tokens", "completion_tokens", "total_tokens")
RULE: Final = "-" * 100


def add_usage(summary: Summary | None, usage: Usage) -> Summary | None:
    """A summary with one more call; None stays None for a call that was not counted."""
    if not usage:
        return summary
    total: Summary = {"total_cost": 0} if summary is None else dict(summary)
    of_model = total.get(usage["model"], dict.fromkeys(COUNTS, 0))
    total[usage["model"]] = {name: of_model[name] + usage[name] for name in COUNTS}
    total["total_cost"] += usage["cost"]
    return total


def print_summaries(actual: Summary | None, total: Summary | None, mode: str | Sequence[str]) -> None:
    """Print what was spent (``actual``), what it would have been without a cache (``total``), or both.

    Raises:
        InvalidArgumentError: The mode is none of these.
    """
    modes = [mode] if isinstance(mode, str) else list(mode)
    if not modes or not set(modes) <= {"actual", "total"}:
        raise InvalidArgumentError(f'Invalid mode: {mode}, choose from "actual", "total", ["actual", "total"]')
    stream = IOStream.get_default()
    if total is None:
        stream.print('No usage summary. Please call "create" first.', flush=True)
        return
    shown: list[str] = []
    if "actual" in modes:
        shown.append(
            _lines("excluding", actual) if actual else "No actual cost incurred (all completions are using cache)."
        )
    if "total" in modes:
        same = "All completions are non-cached: the total cost with cached completions is the same as actual cost."
        shown.append(same if "actual" in modes and actual == total else _lines("including", total))
    stream.print(RULE, flush=True)
    stream.print("\n\n".join(shown), flush=True)
    stream.print(RULE, flush=True)


def _lines(which: str, summary: Summary) -> str:
    lines = [f"Usage summary {which} cached usage: ", f"Total cost: {round(summary['total_cost'], 5)}"]
    for model, counts in summary.items():
        if model != "total_cost":
            numbers = ", ".join(f"{name}: {counts[name]}" for name in COUNTS[1:])
            lines.append(f"* Model '{model}': cost: {round(counts['cost'], 5)}, {numbers}")
    return "\n".join(lines)
