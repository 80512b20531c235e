"""The outline of an assistant, from its configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from symposia.agentchat import base
from symposia.agentchat.agents._assistant._configuration import AssistantConfiguration
from symposia.agentchat.tools import TaskRunnerTool
from symposia.core.tools import StaticWorkbench, ToolSchema, Workbench


def outline_of(configuration: AssistantConfiguration) -> base.AgentOutline:
    """The outline of an assistant for `team.check()`.

    The tools of a server, or of code that a sandbox has not described yet, are not known before the run.
    """
    listed = [(workbench, workbench.known_tools()) for workbench in configuration.workbenches]
    schemas = [schema for _, tools in listed for schema in tools or ()]
    names = [schema["name"] for schema in schemas]
    unknown = [workbench for workbench, tools in listed if tools is None]
    use = configuration.conversation.model_use(
        configuration.client, schemas, _calls(configuration, has_tools=bool(listed))
    )
    return base.AgentOutline(
        models=[use],
        handoffs=[handoff.target for handoff in configuration.answers.handoffs.values()],
        tools=None if unknown else names,
        inner=[run for workbench in configuration.workbenches for run in _inner_runs(workbench, configuration.rounds)],
        findings=[*_clashes(schemas, configuration), *map(_unknown, unknown)],
    )


def _calls(configuration: AssistantConfiguration, *, has_tools: bool) -> base.Bounds:
    """One call for an answer, one for each round of tools, one to reflect on them, and one for each retry."""
    rounds = configuration.rounds if has_tools else 0
    reflection = int(configuration.reflect or not rounds)
    retries = 0 if configuration.output is None else configuration.output.retries
    return base.Bounds(1, rounds + reflection + retries)


def _inner_runs(workbench: Workbench, rounds: int) -> Sequence[base.InnerRun]:
    if not isinstance(workbench, StaticWorkbench):
        return ()
    runs = [tool.inner_run() for tool in workbench.fixed_tools if isinstance(tool, TaskRunnerTool)]
    return [
        base.InnerRun(name=run.name, outline=run.outline, runs=base.Bounds(0, rounds), is_given_task=True)
        for run in runs
    ]


def _clashes(schemas: Sequence[ToolSchema], configuration: AssistantConfiguration) -> Iterator[base.Finding]:
    """Names that several tools share, with which every turn would raise an error."""
    for name, count in Counter(schema["name"] for schema in schemas).items():
        if count > 1:
            handoff = ", one of them a handoff" if name in configuration.answers.handoffs else ""
            yield base.Finding(
                severity="error",
                where="",
                what=f"{count} tools are named {name!r}{handoff}.",
                advice="Rename one, by ToolOverride in a StaticWorkbench or by the name of the Handoff.",
            )


def _unknown(workbench: Workbench) -> base.Finding:
    return base.Finding(
        severity="note",
        where="",
        what=f"The tools of {type(workbench).__name__} are known only once it runs, so they are not checked.",
        advice="Nothing has to be done.",
    )
