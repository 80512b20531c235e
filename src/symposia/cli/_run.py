"""`symposia run`: plans the run, shows it, and ends with its exit status."""

from __future__ import annotations

import asyncio

import typer

from symposia.cli._advice import RUN_ADVICE, advised_result
from symposia.cli._check import check_lines
from symposia.cli._coding_view import description, ending
from symposia.cli._exit import status_of_outcome
from symposia.cli._plan import RunArguments, RunPlan, plan_run
from symposia.cli._sandboxes import chosen_sandbox
from symposia.cli._showing import exit_on_error, shown_in, view_for_this_terminal
from symposia.cli._view import View
from symposia.core.code_executor import SandboxBackend
from symposia.presets.coding import CodingOutcome, CodingResult, run_coding_swarm


def run_and_show(arguments: RunArguments) -> None:
    """Plan and carry out a run, show it, and exit with its status.

    Raises:
        typer.Exit: The run ended without a verified answer.
        typer.BadParameter: An argument is wrong.
    """
    with exit_on_error(RUN_ADVICE):
        plan = plan_run(arguments)
        result = _shown(plan, view_for_this_terminal())
    if result.outcome is not CodingOutcome.VERIFIED:
        raise typer.Exit(status_of_outcome(result.outcome))


def _shown(plan: RunPlan, view: View) -> CodingResult:
    sandbox = chosen_sandbox(plan.sandbox, lambda line: view.note(f"Setting up the sandbox: {line}"))
    with shown_in(view, plan.folder, stopped="The sandbox and the model call are stopped."):
        result = asyncio.run(carry_out(plan, sandbox, view))
        view.end(ending(advised_result(result)))
        return result


async def carry_out(plan: RunPlan, sandbox: SandboxBackend, view: View) -> CodingResult:
    """Run the swarm in a sandbox, and close the models."""

    def begin(started: str) -> None:
        view.begin(description(plan, started))

    try:
        return await run_coding_swarm(
            plan.task,
            models=plan.models,
            sandbox=sandbox,
            packages=plan.packages,
            limits=plan.limits,
            policy=plan.policy,
            audit_log=plan.audit_log,
            folder=plan.folder,
            started=begin,
            checked=lambda check: view.tell(check_lines(check, recorded=plan.models.recorded)),
            watch=view.show,
        )
    finally:
        await plan.models.close()
