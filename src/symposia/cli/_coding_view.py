"""The description and the ending of a run of the coding swarm, for the views."""

from __future__ import annotations

from symposia.cli._plan import RunPlan
from symposia.cli._view import TRANSCRIPT_AND_USAGE, RunDescription, RunEnding, tokens
from symposia.ext.ui import seconds
from symposia.presets import total_usage
from symposia.presets.coding import RECORDED_NOTE, CodingOutcome, CodingResult


def description(plan: RunPlan, sandbox: str) -> RunDescription:
    """The description of a run that begins.

    Args:
        plan: The run.
        sandbox: The kind of sandbox that has started.
    """
    where = "local: this machine, with no protection" if sandbox == "local" else sandbox
    data = ", ".join(path.name for path in plan.task.data)
    return RunDescription(
        subject="Task",
        title=f"{plan.title} (a bundled task)" if plan.bundled else plan.title,
        models={agent: model.label for agent, model in plan.models.by_agent().items()},
        note=RECORDED_NOTE if plan.models.recorded else "",
        details=(*([("Data", data)] if data else []), ("Sandbox", where)),
        folder=plan.folder,
    )


def ending(result: CodingResult) -> RunEnding:
    """The ending of a run: its answer, or the reason that there is none."""
    return RunEnding(
        title="Answer" if result.answer else "No verified answer",
        succeeded=bool(result.answer),
        text=result.answer or result.detail,
        summary=_summary(result),
        folder=result.folder,
        contents=_contents(result),
    )


def _summary(result: CodingResult) -> str:
    programs = len(result.runs)
    parts = [
        "Verified" if result.outcome is CodingOutcome.VERIFIED else f"Not verified: {result.outcome}",
        f"{programs} program{'' if programs == 1 else 's'} ran",
        f"sandbox {result.sandbox}",
        seconds(result.wall_seconds),
        tokens(total_usage(result.usage), recorded=result.recorded),
    ]
    return " · ".join(parts)


def _contents(result: CodingResult) -> list[tuple[str, str]]:
    programs = len(result.runs)
    files = ", ".join(file.path for file in result.files[:5]) + (" …" if len(result.files) > 5 else "")  # noqa: PLR2004
    listed = [("answer.md", "the answer" if result.answer else "how it ended")]
    if programs:
        listed.append(("code/", f"{programs} program{'' if programs == 1 else 's'} with exit status and output"))
    if files:
        listed.append(("files/", files))
    return [*listed, *TRANSCRIPT_AND_USAGE]
