"""`symposia sandbox list`, `show` and `clean`: which sandboxes run, what one holds, and removing what was left over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Final, TypeVar

import typer

from symposia.cli._exit import Status, stopped_by_interrupt
from symposia.core.code_executor import MIB, RunningSandbox, SandboxBackend, SandboxPolicy
from symposia.core.exceptions import MissingExtraError, SandboxError
from symposia.ext.code_executors import (
    SandboxCheck,
    SandboxKind,
    check_sandbox,
    remove_left_over_folders,
    sandbox_kind,
    sandbox_kinds,
)
from symposia.ext.code_executors.attacks import ATTACKS, GAPS

T = TypeVar("T")
WIDTH: Final = 14
HOUR, MINUTE = 3600, 60


def list_and_show() -> None:
    """Show the sandboxes that run on this machine, of all processes that this user may see."""
    with stopped_by_interrupt(lambda: "Interrupted."):
        found = asyncio.run(_of_each_kind(lambda backend: backend.running()))
    rows = [_row(sandbox) for sandboxes in found for sandbox in sandboxes]
    if not rows:
        typer.echo("No sandbox runs.")
        return
    for row in (("sandbox", "name", "owner", "age", "memory"), *rows):
        typer.echo("".join(f"{cell:<{WIDTH}}" for cell in row).rstrip())


def clean_and_show() -> None:
    """Remove what processes that have ended left behind, and show what it was."""
    with stopped_by_interrupt(lambda: "Interrupted. What was removed until then is gone."):
        found = asyncio.run(_clean())
    for name in found:
        typer.echo(f"removed {name}")
    typer.echo(f"Removed {len(found)} in all." if found else "Nothing was left over.")


def show_sandbox(name: str) -> None:
    """Show one kind of sandbox: what it needs, how it isolates, its weaknesses here, and the limits of a program.

    Raises:
        typer.BadParameter: There is no sandbox of this name.
        typer.Exit: It does not work here.
    """
    kind = _known_kind(name)
    with stopped_by_interrupt(lambda: "Interrupted. The sandbox is stopped."):
        check = asyncio.run(check_sandbox(kind.make()))
    typer.secho(kind.name, bold=True)
    for label, lines in _description(kind, check):
        _show_lines(label, lines)
    typer.echo()
    typer.secho("Limits of a program", bold=True)
    for limit, value in asdict(SandboxPolicy()).items():
        _show_lines(limit, [_limit_text(limit, value)])
    if not check.works:
        raise typer.Exit(Status.NO_SANDBOX)


def _description(kind: SandboxKind, check: SandboxCheck) -> Iterable[tuple[str, Sequence[str]]]:
    gaps = [attack.aim for attack in ATTACKS if (attack.name, kind.name) in GAPS]
    yield "needs", [kind.requires]
    yield "works here", [f"{'yes' if check.works else 'no'}: {check.detail.removeprefix('works: ')}"]
    yield "isolation", [kind.isolation or "See its own documentation."]
    yield "weaknesses", check.weaknesses or ["none found here" if check.works else "not known, as it does not start"]
    if kind.isolated:
        yield "gets through", gaps or ["none of the attacks of symposia doctor --attack"]


def _show_lines(label: str, lines: Sequence[str]) -> None:
    for line in (each for text in lines for each in text.splitlines()):
        typer.echo(f"  {label:<20}{line}")
        label = ""


def _limit_text(limit: str, value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType] - shown as they are
    if limit.endswith("_bytes") and isinstance(value, int):
        return f"{value // MIB} MiB"
    return f"{value:g} s" if limit == "time_limit" else str(value)


def _known_kind(name: str) -> SandboxKind:
    names = [kind.name for kind in sandbox_kinds()]
    if name not in names:
        raise typer.BadParameter(f"There is no sandbox {name!r}. There are: {', '.join(names)}")
    return sandbox_kind(name)


async def _clean() -> list[str]:
    found = await _of_each_kind(lambda backend: backend.clean())
    folders = await asyncio.to_thread(remove_left_over_folders)
    return [*(name for names in found for name in names), *map(str, folders)]


async def _of_each_kind(question: Callable[[SandboxBackend], Awaitable[T]]) -> list[T]:
    """Ask every kind. One that cannot be asked is noted on stderr: the others are of use without it."""
    answers: list[T] = []
    for kind in await asyncio.to_thread(sandbox_kinds):
        try:
            answers.append(await question(kind.make()))
        except MissingExtraError:  # without its library, this installation has never made one
            continue
        except (SandboxError, OSError) as error:
            typer.secho(f"{kind.name} cannot be asked: {error}", fg=typer.colors.YELLOW, err=True)
    return answers


def _row(sandbox: RunningSandbox) -> tuple[str, str, str, str, str]:
    memory = "" if sandbox.memory_bytes is None else f"{sandbox.memory_bytes / MIB:.0f} MiB"
    owner = "" if sandbox.owner is None else str(sandbox.owner)
    return (sandbox.kind, sandbox.name, owner, _age(sandbox.seconds), memory)


def _age(seconds: float) -> str:
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
