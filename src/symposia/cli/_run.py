"""`symposia run`: from the words on the command line to a run, its view and its exit status."""

from __future__ import annotations

import asyncio

import typer

from symposia.cli._exit import Status, fail, status_of_error, status_of_outcome
from symposia.cli._options import (
    Bundled,
    DataFiles,
    MaxMessages,
    MaxTokens,
    Model,
    OutFolder,
    PlannerModel,
    ReviewerModel,
    Sandbox,
    TaskText,
    Timeout,
)
from symposia.cli._order import ModelNames, Order, Wish, order_for
from symposia.cli._sandboxes import SandboxName, ready_sandbox
from symposia.cli._view import Beginning, View, view_for_this_terminal
from symposia.core.exceptions import SymposiaError
from symposia.presets.coding import CodingResult, Outcome, SwarmLimits, run_coding_swarm

LIMITS = SwarmLimits()


def run(
    task: TaskText = None,
    data: DataFiles = None,
    out: OutFolder = None,
    model: Model = None,
    planner_model: PlannerModel = None,
    reviewer_model: ReviewerModel = None,
    bundled: Bundled = None,
    sandbox: Sandbox = SandboxName.AUTO,
    max_messages: MaxMessages = LIMITS.max_messages,
    timeout: Timeout = LIMITS.timeout,
    max_tokens: MaxTokens = None,
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
