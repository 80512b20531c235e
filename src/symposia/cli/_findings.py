"""Findings about this machine, as `symposia doctor` and `symposia models` show them. A key is never shown."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import typer

from symposia.core.terminal_text import printable
from symposia.ext.models.vendors import ModelVendor, model_profile_problems, model_vendors

NAME_WIDTH: Final = 18


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        good: Whether the check succeeded; None for information.
    """

    name: str
    good: bool | None
    text: str


def show_section(title: str, findings: Iterable[Finding]) -> None:
    """Show findings below a title."""
    typer.secho(title, bold=True)
    for finding in findings:
        mark, colour = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", None)}[finding.good]
        first, *rest = map(printable, finding.text.splitlines())
        typer.secho(f"  {mark} ", fg=colour, nl=False)
        typer.echo(f"{finding.name:<{NAME_WIDTH}}{first}")
        for line in rest:
            typer.echo(f"{'':<{NAME_WIDTH + 4}}{line}")
    typer.echo()


def vendor_findings() -> Iterator[Finding]:
    """Which vendors of models can be used and what the others lack, and what is wrong with the user's profiles."""
    for vendor in model_vendors():
        problems = vendor.problems()
        yield Finding(vendor.name, not problems, "; ".join(problems) or readiness(vendor))
        if vendor.address_variable and (address := os.environ.get(vendor.address_variable)):
            yield Finding(vendor.name, None, f"{vendor.address_variable} sends its requests to {address}")
    for problem in model_profile_problems():
        yield Finding("model profiles", False, problem)


def readiness(vendor: ModelVendor) -> str:
    """Why a vendor can be used."""
    variables = [next(filter(os.environ.get, each.variables)) for each in vendor.needs]
    if not variables:
        return "needs no key"
    return f"{', '.join(variables)} {'is' if len(variables) == 1 else 'are'} set"
