"""`symposia magentic`: plans a run of a Magentic-One team, shows it, and ends with its exit status."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import typer

from symposia.cli._check import check_lines
from symposia.cli._exit import status_of_outcome
from symposia.cli._planning import given, run_folder, title_of
from symposia.cli._sandboxes import check_sandbox_name, chosen_sandbox
from symposia.cli._showing import exit_on_error, shown_in, view_for_this_terminal
from symposia.cli._view import TRANSCRIPT_AND_USAGE, RunDescription, RunEnding, View, tokens
from symposia.core.code_executor import SandboxBackend
from symposia.core.effects import ask_on_terminal
from symposia.core.exceptions import SymposiaError
from symposia.ext.models import MissingKeyError
from symposia.ext.ui import seconds
from symposia.presets import NamedModel, RunFolderError, close_models, model_named, total_usage
from symposia.presets.coding import EmptyTaskError
from symposia.presets.magentic import (
    RECORDED_NOTE,
    MagenticFolder,
    MagenticLimits,
    MagenticOutcome,
    MagenticRun,
    MagenticTask,
    WebAccess,
    bundled_magentic_task,
    run_magentic,
)

_ADVICE: Final[dict[type[SymposiaError], str]] = {
    EmptyTaskError: 'The task is an argument: symposia magentic "Which of these orders were late?" --data orders.csv',
    MissingKeyError: "Without any key, the bundled task runs on a recorded model: symposia magentic",
    RunFolderError: "The option is --out DIR",
}
_OUTCOMES: Final[dict[MagenticOutcome, str]] = {
    MagenticOutcome.TURN_LIMIT: "Raise it: --max-turns N",
    MagenticOutcome.TIME_LIMIT: "Raise it: --timeout S",
    MagenticOutcome.TOKEN_LIMIT: "Raise it: --max-tokens N",
    MagenticOutcome.SANDBOX_DIED: "See `symposia doctor`. Take another sandbox: --sandbox NAME",
    MagenticOutcome.BROWSER_FAILED: "To install one: playwright install chromium",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class MagenticArguments:
    """The arguments of the command line; each may be missing."""

    task: str | None = None
    data: tuple[Path, ...] = ()
    model: str | None = None
    sandbox: str = "auto"
    max_turns: int | None = None
    max_stalls: int | None = None
    timeout: float | None = None
    max_tokens: int | None = None
    start_page: str | None = None
    private_hosts: tuple[str, ...] = ()
    review_plan: bool = False
    out: Path | None = None

    @property
    def limits(self) -> dict[str, float]:
        """The limits that are given, by their names in `MagenticLimits`."""
        return given(turns=self.max_turns, stalls=self.max_stalls, timeout=self.timeout, max_tokens=self.max_tokens)


@dataclass(frozen=True, kw_only=True, slots=True)
class MagenticPlan:
    """A checked run.

    Attributes:
        title: The task in one line.
        task: The task.
        model: The model of all agents.
        sandbox: The name of the sandbox.
        limits: When it ends.
        web: What the browser may do.
        review_plan: Whether a person approves each plan.
        folder: The folder of the results.
    """

    title: str
    task: MagenticTask
    model: NamedModel
    sandbox: str
    limits: MagenticLimits
    web: WebAccess
    review_plan: bool
    folder: Path


def magentic_and_show(arguments: MagenticArguments) -> None:
    """Plan and carry out a run, show it, and exit with its status.

    Raises:
        typer.Exit: The run ended without an answer that the orchestrator accepts as complete.
        typer.BadParameter: An argument is wrong.
    """
    with exit_on_error(_ADVICE):
        plan = plan_magentic(arguments)
        run = _shown(plan, view_for_this_terminal())
    if run.outcome is not MagenticOutcome.ANSWERED:
        raise typer.Exit(status_of_outcome(run.outcome))


def plan_magentic(arguments: MagenticArguments) -> MagenticPlan:
    """Check the arguments, read the bundled task if there is no other, and make the model client.

    Raises:
        SymposiaError: An argument cannot be used; the text says what to do.
        typer.BadParameter: Arguments exclude each other.
    """
    check_sandbox_name(arguments.sandbox)
    if arguments.task is None:
        if arguments.data:
            raise typer.BadParameter('--data goes with a task of your own: symposia magentic "TASK" --data FILE')
        bundled = bundled_magentic_task()
        title, task = f"{bundled.title} (a bundled task)", bundled.task
    else:
        task = MagenticTask(text=arguments.task, data=arguments.data)
        title, bundled = title_of(task.text), None
    folder = run_folder(arguments.out, title)
    MagenticFolder.check(folder)
    model = bundled.model() if bundled and not arguments.model else model_named(arguments.model)
    return MagenticPlan(
        title=title,
        task=task,
        model=model,
        sandbox=arguments.sandbox,
        limits=replace(MagenticLimits(), **arguments.limits),
        web=WebAccess(start_page=arguments.start_page, private_hosts=arguments.private_hosts),
        review_plan=arguments.review_plan,
        folder=folder,
    )


def _shown(plan: MagenticPlan, view: View) -> MagenticRun:
    sandbox = chosen_sandbox(plan.sandbox, lambda line: view.note(f"Setting up the sandbox: {line}"))
    with shown_in(view, plan.folder, stopped="The model call, the browser and the sandbox are stopped."):
        run = asyncio.run(_carry_out(plan, sandbox, view))
        view.end(_ending(run))
        return run


async def _carry_out(plan: MagenticPlan, sandbox: SandboxBackend, view: View) -> MagenticRun:
    def begin(started: str) -> None:
        view.begin(_description(plan, started))

    try:
        return await run_magentic(
            plan.task,
            model=plan.model,
            sandbox=sandbox,
            folder=plan.folder,
            limits=plan.limits,
            web=plan.web,
            plan_review=ask_on_terminal if plan.review_plan else None,
            started=begin,
            checked=lambda check: view.tell(check_lines(check, recorded=plan.model.recorded)),
            watch=view.show,
        )
    finally:
        await close_models([plan.model])


def _description(plan: MagenticPlan, sandbox: str) -> RunDescription:
    limits = plan.limits
    data = ", ".join(path.name for path in plan.task.data)
    return RunDescription(
        subject="Task",
        title=plan.title,
        models={"all": plan.model.label},
        note=RECORDED_NOTE if plan.model.recorded else "",
        details=(
            *([("Data", data)] if data else []),
            ("Sandbox", sandbox),
            ("Turns", f"at most {limits.turns}; a new plan after {limits.stalls} stalls"),
        ),
        folder=plan.folder,
    )


def _ending(run: MagenticRun) -> RunEnding:
    answered = run.outcome is MagenticOutcome.ANSWERED
    advice = _OUTCOMES.get(run.outcome)
    detail = "" if answered else "\n".join(filter(None, [run.detail, advice]))
    figures = [
        "Answered" if answered else f"Not done: {run.outcome}",
        seconds(run.wall_seconds),
        tokens(total_usage(run.usage), recorded=run.recorded),
    ]
    return RunEnding(
        title="Answer" if run.answer else "No answer",
        succeeded=answered,
        text="\n\n".join(filter(None, [run.answer, detail])),
        summary=" · ".join(figures),
        folder=run.folder,
        contents=[
            ("answer.md", "the answer" if run.answer else "how it ended"),
            ("files/", "the data, and what was made and saved"),
            *TRANSCRIPT_AND_USAGE,
        ],
    )
