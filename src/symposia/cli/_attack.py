"""`symposia doctor --attack`: attacks the sandboxes of this machine, and shows which attacks they stop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import typer

from symposia.cli._exit import Status, stopped_by_interrupt
from symposia.core.code_executor import SandboxBackend
from symposia.core.exceptions import SymposiaError
from symposia.core.terminal_text import printable_name
from symposia.ext.code_executors import AUTO, sandbox_kind, sandbox_kinds
from symposia.ext.code_executors.attacks import ATTACKS, GAPS, run_attack

NAME_WIDTH = 26


def attack_and_show(name: str) -> None:
    """Attack one sandbox, or every isolated one that works here for ``auto``, and show the outcomes.

    Raises:
        typer.Exit: No sandbox works, or an attack got through that the documentation does not name.
    """
    with stopped_by_interrupt(lambda: "Interrupted."):
        outcomes = asyncio.run(_attack_all(name))
    if not outcomes:
        raise typer.Exit(Status.NO_SANDBOX)
    unknown = sum(outcomes)
    total = "Every attack was stopped, or is named in the documentation."
    typer.echo(total if not unknown else f"Attacks that got through and are not named in the documentation: {unknown}.")
    if unknown:
        raise typer.Exit(Status.FAILED)


async def _attack_all(name: str) -> list[int]:
    """How many attacks got through in each sandbox that works here."""
    kinds = [kind for kind in await asyncio.to_thread(sandbox_kinds) if kind.isolated]
    chosen = kinds if name == AUTO else [await asyncio.to_thread(sandbox_kind, name)]
    outcomes: list[int] = []
    for backend in [kind.make() for kind in chosen]:
        typer.secho(backend.name, bold=True)
        if reason := await _problem(backend):
            typer.echo(f"  does not work here: {reason}\n")
            continue
        outcomes.append(await _attack(backend))
        typer.echo()
    return outcomes


async def _problem(backend: SandboxBackend) -> str:
    try:
        await backend.set_up(typer.echo)
        return await backend.unavailable_reason() or ""
    except SymposiaError as error:
        return str(error)


async def _attack(backend: SandboxBackend) -> int:
    got_through = 0
    for attack in ATTACKS:
        outcome = await run_attack(attack, backend)
        gap = GAPS.get((attack.name, backend.name), "")
        if outcome.stopped:
            _show("✓", "green", attack.name, [attack.aim])
        elif gap:
            _show("·", None, attack.name, [attack.aim, gap])
        else:
            got_through += 1
            _show("✗", "red", attack.name, [attack.aim, printable_name(outcome.got_through)])
    return got_through


def _show(mark: str, colour: str | None, name: str, lines: Sequence[str]) -> None:
    typer.secho(f"  {mark} ", fg=colour, nl=False)
    typer.echo(f"{name:<{NAME_WIDTH}}{lines[0]}")
    for line in lines[1:]:
        typer.echo(f"{'':<{NAME_WIDTH + 4}}{line}")
