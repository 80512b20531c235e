"""The outline of an assistant, from its configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from symposia.agentchat import base
from symposia.agentchat.agents._assistant._configuration import AssistantConfiguration
from symposia.agentchat.agents._assistant._tool_states import static_tools
from symposia.agentchat.messages import MessageType
from symposia.agentchat.tools import TaskRunnerTool
from symposia.core.tools import ToolSchema, Workbench, is_portable_tool_name


def outline_of(configuration: AssistantConfiguration, produces: Sequence[MessageType] | None) -> base.AgentOutline:
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
    blocked = {name for name in names if any(each.always_blocks(name) for each in configuration.guardrails)}
    handoffs = configuration.answers.handoffs.items()
    return base.AgentOutline(
        models=[use],
        handoffs=[handoff.target for name, handoff in handoffs if name not in blocked],
        tools=None if unknown else [name for name in names if name not in blocked],
        produces=produces,
        inner=_inner_runs(configuration),
        findings=[
            *_clashes(schemas, configuration),
            *_refused_names(names),
            *_blocked(names, blocked, configuration),
            *map(_unknown, unknown),
        ],
    )


def _calls(configuration: AssistantConfiguration, *, has_tools: bool) -> base.Bounds:
    """One call for an answer, one for each round of tools, one to reflect on them, and one for each retry."""
    rounds = configuration.rounds if has_tools else 0
    reflection = int(configuration.reflect or not rounds)
    retries = 0 if configuration.output is None else configuration.output.retries
    return base.Bounds(1, rounds + reflection + retries)


def _inner_runs(configuration: AssistantConfiguration) -> Sequence[base.InnerRun]:
    tools = static_tools(configuration.workbenches)
    runs = base.Bounds(0, configuration.rounds)
    return [replace(tool.inner_run(), runs=runs) for tool in tools if isinstance(tool, TaskRunnerTool)]


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


def _blocked(names: Sequence[str], blocked: set[str], configuration: AssistantConfiguration) -> Iterator[base.Finding]:
    """Handoffs that guardrails always block, and tools if they block all of them. Some tools may be blocked on purpose.

    Args:
        names: The names of the known tools, those that hand off included.
        blocked: Those whose calls are always blocked.
        configuration: Of the assistant.
    """
    handing = [name for name in names if name in configuration.answers.handoffs]
    others = [name for name in names if name not in configuration.answers.handoffs]
    found = [("handoff", name) for name in handing if name in blocked]
    found += [("tool", name) for name in others if blocked.issuperset(others)]
    for kind, name in found:
        yield base.Finding(
            severity="warning",
            where="",
            what=f"Its guardrails block every call of its {kind} {name!r}.",
            advice=f"Allow {name!r}, as in AllowedTools([{name!r}]), or take it away from the agent.",
        )


def _refused_names(names: Sequence[str]) -> Iterator[base.Finding]:
    """Names that vendors refuse, with which the first request would fail."""
    for name in dict.fromkeys(names):
        if not is_portable_tool_name(name):
            yield base.Finding(
                severity="warning",
                where="",
                what=f"Vendors of models refuse the name of its tool {name!r}.",
                advice="Give 1 to 64 letters from A to Z, digits, underscores and hyphens.",
            )


def _unknown(workbench: Workbench) -> base.Finding:
    return base.Finding(
        severity="note",
        where="",
        what=f"The tools of {type(workbench).__name__} are known only once it runs, so they are not checked.",
        advice="Look at their names yourself: two tools of one name fail, and handoffs are tools too.",
    )
