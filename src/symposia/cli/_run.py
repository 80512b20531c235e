"""`symposia run`: from its arguments to a run, its view and its exit status."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import typer

from symposia.cli._arguments import RunArguments
from symposia.cli._exit import Status, fail, status_of_error, status_of_outcome
from symposia.cli._plan import RunPlan, plan_run
from symposia.cli._sandboxes import chosen_sandbox
from symposia.cli._view import Beginning, View, view_for_this_terminal
from symposia.core.code_executor import SandboxBackend
from symposia.core.exceptions import SymposiaError
from symposia.presets.coding import CodingResult, Outcome, run_coding_swarm


def run_and_show(arguments: RunArguments) -> None:
    """Run what the arguments ask for, show it, and end with the status of how it went.

    Raises:
        typer.Exit: It did not end with a verified answer.
        typer.BadParameter: An argument is wrong.
    """
    try:
        plan = plan_run(arguments)
        result = _watched(plan, view_for_this_terminal())
    except SymposiaError as error:
        fail(str(error), status_of_error(error))
    if result.outcome is not Outcome.VERIFIED:
        raise typer.Exit(status_of_outcome(result.outcome))


def _watched(plan: RunPlan, view: View) -> CodingResult:
    """Carry a plan out before the eyes of the user, who may interrupt it."""
    sandbox = chosen_sandbox(plan.sandbox, lambda line: view.note(f"Setting up the sandbox: {line}"))
    try:
        with view:
            result = asyncio.run(carry_out(plan, sandbox, view))
            view.end(result)
    except KeyboardInterrupt:
        _interrupted(plan)
    return result


def _interrupted(plan: RunPlan) -> NoReturn:
    kept = f"\nWhat there is so far: {plan.folder}" if plan.folder.exists() else ""
    fail(f"Interrupted. The sandbox and the model call are stopped.{kept}", Status.INTERRUPTED)


async def carry_out(plan: RunPlan, sandbox: SandboxBackend, view: View) -> CodingResult:
    """Let the swarm work, in a sandbox that is set up first if this is its first use, and close the models."""

    def begin(started: str) -> None:
        view.begin(
            Beginning(
                title=f"{plan.title} (a bundled task)" if plan.bundled else plan.title,
                models={agent: model.name for agent, model in plan.models.by_agent().items()},
                recorded=plan.models.recorded,
                sandbox=started,
                data=plan.task.data,
                folder=plan.folder,
            )
        )

    try:
        return await run_coding_swarm(
            plan.task,
            models=plan.models,
            sandbox=sandbox,
            limits=plan.limits,
            policy=plan.policy,
            folder=plan.folder,
            started=begin,
            watch=view.show,
        )
    finally:
        await plan.models.close()
