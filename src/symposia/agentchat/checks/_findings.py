"""Mistakes in a team, found in its outline. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches

from symposia.agentchat.base import AgentOutline, Finding, ModelUse, Outlines, TeamOutline
from symposia.agentchat.checks._prompts import Prompts


def team_findings(team: TeamOutline, prompts: Prompts, task: int = 0) -> list[Finding]:
    """The findings about a team and the agents and teams inside it, the errors first.

    Args:
        team: The outline of the team.
        prompts: Counts the prompts.
        task: The tokens of the task, which every agent is shown.
    """
    found = list(_Findings(prompts).team(team, team.name, task, followed=(), places={}))
    return sorted(found, key=lambda finding: ("error", "warning", "note").index(finding.severity))


class _Findings:
    """Walks through a team and the agents and teams inside it."""

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts

    def team(
        self, team: TeamOutline, path: str, task: int, followed: Sequence[str], places: dict[int, str]
    ) -> Iterator[Finding]:
        """The findings about a team.

        Args:
            team: Its outline.
            path: Its place, as in `Finding.where`.
            task: The tokens of the task.
            followed: The targets of handoffs that end the run of an enclosing team.
            places: The places of participants by their ids, to which those of this team are added.
        """
        own = [*team.rule.findings, *(team.condition.findings if team.condition is not None else ())]
        yield from (_placed(finding, path) for finding in own)
        yield from _silent(team, path)
        yield from _end(team, path)
        ending = [*followed, *(team.condition.handoffs if team.condition is not None else ())]
        for name, outline in team.participants.items():
            place = f"{path}/{name}"
            if (shared := _shared(team.members.get(name), name, place, places)) is not None:
                yield shared
            elif isinstance(outline, TeamOutline):
                yield from self.team(outline, place, task, ending, places)
            elif outline is not None:
                yield from _handoffs(outline, place, team, ending)
                yield from self._agent(outline, place, task)

    def _agent(self, agent: AgentOutline, path: str, task: int) -> Iterator[Finding]:
        yield from (_placed(finding, path) for finding in agent.findings)
        for use in agent.models or ():
            yield from self._window(use, path, task)
        for run in agent.inner:
            place, given = f"{path}/{run.name}", 0 if run.is_given_task else task
            if isinstance(run.outline, TeamOutline):
                yield from self.team(run.outline, place, given, followed=(), places={})
            elif run.outline is not None:
                yield from self._agent(run.outline, place, given)

    def _window(self, use: ModelUse, path: str, task: int) -> Iterator[Finding]:
        """A prompt that does not fit the window of the model even before the first message."""
        prompt = self._prompts.of(use)
        if prompt.room < task:
            parts = ["The system message", "the tools", *(["the task"] if task else [])]
            yield Finding(
                severity="error",
                where=path,
                what=f"{', '.join(parts[:-1])} and {parts[-1]} take {prompt.tokens + task:,} tokens, and "
                f"{prompt.model} has room for {prompt.tokens + prompt.room:,}.",
                advice="Shorten them, give it fewer tools, or another model.",
            )


def _shared(member: object | None, name: str, place: str, places: dict[int, str]) -> Finding | None:
    """The finding about an agent or a team that takes part in another team already, where it is checked."""
    if member is None or (first := places.setdefault(id(member), place)) == place:
        return None
    return Finding(
        severity="warning",
        where=place,
        what=f"{name} takes part as {first} too: it has one conversation, in which those of both teams mix.",
        advice="Make another agent or team of the kind for this place.",
    )


def _silent(team: TeamOutline, path: str) -> Iterator[Finding]:
    for name, reason in team.rule.silent.items():
        yield Finding(
            severity="warning",
            where=f"{path}/{name}",
            what=f"{name} can never speak: {reason}.",
            advice="Give another participant a way to pass the turn to it, or take it out of the team.",
        )


def _end(team: TeamOutline, path: str) -> Iterator[Finding]:
    """Whether runs of the team end."""
    condition, rule = team.condition, team.rule
    has_end = team.max_turns is not None or rule.can_end is not False
    if condition is None and not has_end:
        yield Finding(
            severity="error",
            where=path,
            what="No run ends by itself: there is neither a termination condition nor max_turns.",
            advice='Give it one, such as termination_condition=TextMentionTermination("DONE") or max_turns=20.',
        )
    elif condition is not None and condition.impossible is not None:
        yield Finding(
            severity="warning" if has_end else "error",
            where=f"{path}/termination_condition",
            what=f"The condition is never met: {condition.impossible}.",
            advice="Change it, or leave it out."
            if has_end
            else "Change it, or give another one: nothing else ends the run.",
        )
    elif rule.can_end is not None and team.max_turns is None and rule.turns.high is None and not _is_certain(team):
        yield Finding(
            severity="note",
            where=path,
            what="Nothing limits the number of turns.",
            advice="Give it max_turns too, or add MaxMessageTermination with |.",
        )


def _is_certain(team: TeamOutline) -> bool:
    return team.condition is not None and team.condition.is_certain


def _handoffs(agent: AgentOutline, path: str, team: TeamOutline, ending: Collection[str]) -> Iterator[Finding]:
    """Handoffs that lead nowhere. A rule without an outline may follow any handoff."""
    if team.rule.can_end is None and not team.rule.heeds_handoffs:
        return
    for target in agent.handoffs or ():
        if target in ending:
            continue
        if target not in team.participants:
            yield Finding(
                severity="error" if team.rule.heeds_handoffs else "warning",
                where=path,
                what=f"It hands off to {target!r}, which is no participant of {team.name!r}, and no condition ends the "
                "run there.",
                advice=_likely(target, team.participants)
                or f"Add {target!r} to the team, or HandoffTermination({target!r}) if that is a person.",
            )
        elif not team.rule.heeds_handoffs:
            yield Finding(
                severity="note",
                where=path,
                what=f"It hands off to {target!r}, which does not decide who speaks next in this team.",
                advice="Use a Swarm where handoffs decide.",
            )


def _likely(target: str, participants: Outlines) -> str:
    close = get_close_matches(target, participants, n=1)
    return f"Was {close[0]!r} meant?" if close else ""


def _placed(finding: Finding, path: str) -> Finding:
    return finding.model_copy(update={"where": f"{path}/{finding.where}" if finding.where else path})
