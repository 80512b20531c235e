"""`symposia run`: from the words on the command line to a run, its view and its exit status."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from symposia.cli._exit import Status, fail, status_of_error, status_of_outcome
from symposia.cli._order import ModelNames, Order, Wish, order_for
from symposia.cli._sandboxes import SandboxName, ready_sandbox
from symposia.cli._view import Beginning, View, view_for_this_terminal
from symposia.core.exceptions import SymposiaError
from symposia.presets.coding import BundledName, CodingResult, Outcome, SwarmLimits, run_coding_swarm

LIMITS = SwarmLimits()


def run(  # noqa: PLR0917 - typer reads the parameters as options, by name
    task: Annotated[
        str | None,
        typer.Argument(metavar="TASK", help="What to do, in plain words. Without it, a bundled task runs."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data",
            metavar="FILE",
            readable=False,  # not typer's to check: a task says what to do, and has a status for it
            help="A file for the code to read. For more, give it several times.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            readable=False,
            help="A new folder for the results.",
            show_default="symposia-runs/<time>-<task>",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="M", help="gpt-…, claude-…, or vendor/name.", show_default="by the key that is set"),
    ] = None,
    planner_model: Annotated[
        str | None, typer.Option(metavar="M", help="For the planner.", show_default="as --model")
    ] = None,
    reviewer_model: Annotated[
        str | None, typer.Option(metavar="M", help="For the reviewer.", show_default="as --model")
    ] = None,
    bundled: Annotated[
        BundledName | None,
        typer.Option("--task", help="A bundled task, with its data.", show_default=BundledName.SALES),
    ] = None,
    sandbox: Annotated[
        SandboxName, typer.Option(help="Where the code runs. local is this machine, unprotected.")
    ] = SandboxName.AUTO,
    max_messages: Annotated[
        int, typer.Option(min=1, metavar="N", help="Messages of the agents.")
    ] = LIMITS.max_messages,
    timeout: Annotated[float, typer.Option(min=1, metavar="S", help="Seconds of the whole run.")] = LIMITS.timeout,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Tokens of all model calls.", show_default="no limit")
    ] = None,
) -> None:
    """Let a swarm of four solve a task: one plans, one writes Python, one runs it in a sandbox, one checks the output.

    The answer, the code, the files that it made, the transcript and the tokens are left in a folder. A task of your own
    needs OPENAI_API_KEY or ANTHROPIC_API_KEY. The bundled tasks need no key: without --model, the models' words are
    recorded, while the code really runs.
    """
    wish = Wish(
        text=task,
        data=tuple(data or ()),
        bundled=bundled,
        names=ModelNames(model=model, planner=planner_model, reviewer=reviewer_model),
        sandbox=sandbox,
        limits=SwarmLimits(max_messages=max_messages, timeout=timeout, max_tokens=max_tokens),
        out=out,
    )
    try:
        order = order_for(wish)
        result = _watched(order, view_for_this_terminal())
    except SymposiaError as error:
        fail(str(error), status_of_error(error))
    if result.outcome is not Outcome.VERIFIED:
        raise typer.Exit(status_of_outcome(result.outcome))


def _watched(order: Order, view: View) -> CodingResult:
    """Run an order in view of the user, who may interrupt it."""
    try:
        with view:
            result = asyncio.run(carry_out(order, view))
            view.end(result)
    except KeyboardInterrupt:
        kept = f"\nWhat there is so far: {order.folder}" if order.folder.exists() else ""
        fail(f"Interrupted. The sandbox and the model call are stopped.{kept}", Status.INTERRUPTED)
    return result


async def carry_out(order: Order, view: View) -> CodingResult:
    """Get the sandbox ready, let the swarm work, and close the models."""
    try:
        return await _run(order, view)
    finally:
        await order.models.close()


async def _run(order: Order, view: View) -> CodingResult:
    sandbox = await ready_sandbox(order.sandbox, view.note)
    view.begin(
        Beginning(
            title=f"{order.title} (a bundled task)" if order.bundled else order.title,
            models={agent: model.name for agent, model in order.models.by_agent().items()},
            recorded=order.models.recorded,
            sandbox=sandbox.name,
            data=order.task.data,
            folder=order.folder,
        )
    )
    return await run_coding_swarm(
        order.task, models=order.models, sandbox=sandbox, limits=order.limits, folder=order.folder, watch=view.show
    )
