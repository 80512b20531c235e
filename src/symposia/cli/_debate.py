"""`symposia debate`: plans the debate, shows it, and ends with its exit status."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import typer

from symposia.agentchat.teams import Position
from symposia.cli._check import check_lines
from symposia.cli._exit import status_of_outcome
from symposia.cli._planning import given, recorded_pace, run_folder, title_of
from symposia.cli._showing import exit_on_error, shown_in, view_for_this_terminal
from symposia.cli._view import TRANSCRIPT_AND_USAGE, RunDescription, RunEnding, View, tokens
from symposia.core.exceptions import SymposiaError
from symposia.core.terminal_text import escape_markdown
from symposia.ext.models import MissingKeyError, default_model_name
from symposia.ext.ui import seconds
from symposia.presets import (
    NamedModel,
    RunFolderError,
    close_models,
    model_named,
    total_usage,
)
from symposia.presets.debate import (
    MODERATOR,
    RECORDED_NOTE,
    BundledDebateName,
    DebateFolder,
    DebateLimits,
    DebateOutcome,
    DebateRun,
    DebateTask,
    DebateTaskError,
    bundled_debate,
    chart,
    chart_as_markdown,
    position_from,
    run_debate,
)

_ADVICE: Final[dict[type[SymposiaError], str]] = {
    DebateTaskError: 'As in: symposia debate "Which database?" --position "PostgreSQL" --position "MongoDB"',
    MissingKeyError: "Without any key, the bundled debates run on recorded models: symposia debate --example ingestion",
    RunFolderError: "The option is --out DIR",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class DebateArguments:
    """The arguments of the command line; each may be missing."""

    question: str | None = None
    positions: tuple[str, ...] = ()
    open_positions: tuple[str, ...] = ()
    example: str | None = None
    model: str | None = None
    moderator_model: str | None = None
    rounds: int | None = None
    independent: int | None = None
    quorum: float | None = None
    timeout: float | None = None
    max_tokens: int | None = None
    out: Path | None = None

    @property
    def limits(self) -> dict[str, float]:
        """The limits that are given, by their names in `DebateLimits`."""
        return given(
            rounds=self.rounds,
            independent_rounds=self.independent,
            quorum=self.quorum,
            timeout=self.timeout,
            max_tokens=self.max_tokens,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class DebatePlan:
    """A checked debate.

    Attributes:
        title: The question in one line.
        task: The question and the positions.
        models: By agent.
        limits: When it ends.
        folder: The folder of the results.
    """

    title: str
    task: DebateTask
    models: Mapping[str, NamedModel]
    limits: DebateLimits
    folder: Path

    @property
    def recorded(self) -> bool:
        """Whether the models' answers are recorded."""
        return any(model.recorded for model in self.models.values())


def debate_and_show(arguments: DebateArguments) -> None:
    """Plan and carry out a debate, show it, and exit with its status.

    Raises:
        typer.Exit: The debate ended without a decision.
        typer.BadParameter: An argument is wrong.
    """
    with exit_on_error(_ADVICE):
        plan = plan_debate(arguments)
        run = _shown(plan, view_for_this_terminal())
    if run.outcome is not DebateOutcome.DECIDED:
        raise typer.Exit(status_of_outcome(run.outcome))


def plan_debate(arguments: DebateArguments) -> DebatePlan:
    """Check the arguments, read the bundled debate if it is one, and make the model clients.

    Raises:
        SymposiaError: An argument cannot be used; the text says what to do.
        typer.BadParameter: An argument has an invalid value, or arguments exclude each other.
    """
    task, limits, title, recorded = _own(arguments) if arguments.question is not None else _bundled(arguments)
    if limits.independent_rounds > limits.rounds:
        raise typer.BadParameter(
            f"--independent {limits.independent_rounds} is more than the {limits.rounds} rounds: raise --rounds."
        )
    folder = run_folder(arguments.out, title)
    DebateFolder.check(folder)
    models = recorded or _models(arguments, task)
    return DebatePlan(title=title, task=task, models=models, limits=limits, folder=folder)


def _own(arguments: DebateArguments) -> tuple[DebateTask, DebateLimits, str, None]:
    if arguments.example:
        raise typer.BadParameter("Give a question of your own or --example, not both.")
    if arguments.question in set(BundledDebateName) and not arguments.positions:
        raise typer.BadParameter(
            f"{arguments.question!r} is a bundled debate: symposia debate --example {arguments.question}. A question "
            "of your own needs two or more --position."
        )
    task = DebateTask(
        question=arguments.question or "",
        positions=tuple(map(position_from, arguments.positions)),
        open_positions=tuple(map(position_from, arguments.open_positions)),
    )
    return task, replace(DebateLimits(), **arguments.limits), title_of(task.question), None


def _bundled(
    arguments: DebateArguments,
) -> tuple[DebateTask, DebateLimits, str, Mapping[str, NamedModel] | None]:
    if arguments.positions or arguments.open_positions:
        raise typer.BadParameter('--position goes with a question of your own: symposia debate "QUESTION" --position …')
    name = arguments.example or BundledDebateName.INGESTION
    if name not in set(BundledDebateName):
        raise typer.BadParameter(f"There is no bundled debate {name!r}. There are: {', '.join(BundledDebateName)}")
    bundled = bundled_debate(name)
    title = f"{bundled.title} (a bundled debate)"
    if arguments.model or arguments.moderator_model:
        return bundled.task, replace(bundled.limits, **arguments.limits), title, None
    if arguments.limits:
        raise typer.BadParameter("A recorded debate has rounds and limits of its own: give --model M too.")
    return bundled.task, bundled.limits, title, bundled.models(pace=recorded_pace())


def _models(arguments: DebateArguments, task: DebateTask) -> dict[str, NamedModel]:
    main = arguments.model or default_model_name()
    made: dict[str, NamedModel] = {}  # one client for each name, whose connections the agents share
    for name in {main, arguments.moderator_model or main}:
        made[name] = model_named(name)
    moderator = made[arguments.moderator_model or main]
    return {agent: moderator if agent == MODERATOR else made[main] for agent in task.agents}


def _shown(plan: DebatePlan, view: View) -> DebateRun:
    with shown_in(view, plan.folder, stopped="The model calls are stopped."):
        view.begin(_description(plan))
        run = asyncio.run(_carry_out(plan, view))
        view.end(_ending(run))
        return run


async def _carry_out(plan: DebatePlan, view: View) -> DebateRun:
    try:
        return await run_debate(
            plan.task,
            models=plan.models,
            limits=plan.limits,
            folder=plan.folder,
            checked=lambda check: view.tell(check_lines(check, recorded=plan.recorded)),
            watch=view.show,
        )
    finally:
        await close_models(plan.models.values())


def _description(plan: DebatePlan) -> RunDescription:
    limits = plan.limits
    quorum = "" if limits.quorum is None else f", quorum {limits.quorum:.0%}"
    return RunDescription(
        subject="Question",
        title=plan.title,
        models={agent: model.label for agent, model in plan.models.items()},
        note=RECORDED_NOTE if plan.recorded else "",
        details=(
            *(("Position", _stated(each)) for each in plan.task.positions),
            *(("Open position", _stated(each)) for each in plan.task.open_positions),
            ("Rounds", f"at most {limits.rounds}, {limits.independent_rounds} of them independent{quorum}"),
        ),
        folder=plan.folder,
    )


def _stated(position: Position) -> str:
    return position.name if position.text == position.name else f"{position.name}: {position.text}"


def _ending(run: DebateRun) -> RunEnding:
    decided = run.outcome is DebateOutcome.DECIDED
    result = run.result
    said = (
        f"**{escape_markdown(result.decision or '')}**. {result.reason}" if decided else f"{result.reason} {run.detail}"
    )
    parts = [said, result.conclusion]
    if result.rounds:
        parts.append(chart_as_markdown(result) if decided else chart(result))
    parts += [f"Dissent of {each.participant}: {each.vote.reason}" for each in result.dissent]
    figures = [
        f"Decided: {result.ending}" if decided else f"Not decided: {run.outcome}",
        f"{len(result.rounds)} round{'' if len(result.rounds) == 1 else 's'}",
        seconds(run.wall_seconds),
        tokens(total_usage(run.usage), recorded=run.recorded),
    ]
    return RunEnding(
        title="Decision" if decided else "No decision",
        succeeded=decided,
        text="\n\n".join(part for part in parts if part),
        summary=" · ".join(figures),
        folder=run.folder,
        contents=[
            ("decision.md", "the decision, how the positions moved, the dissent"),
            ("decision.json", "the same to process"),
            *TRANSCRIPT_AND_USAGE,
        ],
    )
