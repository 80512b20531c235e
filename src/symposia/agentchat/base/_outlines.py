"""Outlines: descriptions of the parts of a team for `team.check()`, as data.

An outline is made without asking a model, a server or a sandbox. Every part has a default outline without information;
a check reports nothing about unknown parts. Agents, teams and conditions have a method `check_outline`, and
a rule may have one. The checks are pure functions of outlines: see `symposia.agentchat.checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from symposia.agentchat.messages import MessageType
from symposia.core.models import ChatCompletionClient, LLMMessage, SystemMessage, UserMessage
from symposia.core.tools import ToolSchema

Severity: TypeAlias = Literal["error", "warning", "note"]


class Finding(BaseModel):
    """A finding of a check.

    Attributes:
        severity: An error makes the run fail or never end. A warning is most likely a mistake. A note is worth
            knowing.
        where: The part of the team, as a path: ``team/agent``.
        what: The fault, in a sentence.
        advice: How to correct it.
    """

    model_config = ConfigDict(frozen=True)

    severity: Severity
    where: str
    what: str
    advice: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.where}: {self.what} {self.advice}"


class Bounds(NamedTuple):
    """A range of a number.

    Attributes:
        low: The least.
        high: The most; None for no limit.
    """

    low: int
    high: int | None

    def __str__(self) -> str:
        if self.high is None:
            return f"{self.low:,} or more"
        return f"{self.low:,}" if self.low == self.high else f"{self.low:,} to {self.high:,}"

    def times(self, factor: Bounds) -> Bounds:
        """The range of the product of two numbers."""
        high = None if self.high is None or factor.high is None else self.high * factor.high
        return Bounds(self.low * factor.low, high)

    def at_most(self, limit: int | None) -> Bounds:
        """The range of a number that a limit cuts off."""
        if limit is None:
            return self
        return Bounds(min(self.low, limit), limit if self.high is None else min(self.high, limit))


NEVER = Bounds(0, 0)
ONCE = Bounds(1, 1)
UNLIMITED = Bounds(1, None)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelUse:
    """How a part of a team asks a model in one turn.

    Attributes:
        client: The model.
        prompt: The messages that are in each prompt beside the conversation, such as the system message.
        tools: The tools that are in each prompt.
        calls: How often the model is asked in a turn.
        shown_messages: The most messages of the conversation that it is shown; None for no limit.
        shown_tokens: The most tokens of the conversation that it is shown; None for no limit.
        shows: What it is shown beside `prompt`: the conversation and the calls before in this turn; the messages that
            are new since the last turn; or one message.
        interval: It is asked in every so many turns only.
    """

    client: ChatCompletionClient
    prompt: Sequence[LLMMessage] = ()
    tools: Sequence[ToolSchema] = ()
    calls: Bounds = ONCE
    shown_messages: int | None = None
    shown_tokens: int | None = None
    shows: Literal["conversation", "new messages", "message"] = "conversation"
    interval: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentOutline:
    """The outline of an agent.

    Attributes:
        models: How it asks models in a turn; None if that is not known.
        handoffs: The names of the agents that it hands off to; None if they are not known.
        tools: The names of its tools, those that hand off included; None if they are not known.
        produces: The types of its own messages; None if they are not known.
        inner: The agents and teams that run inside of its turns.
        findings: Its own findings. `where` is relative to the agent, and may be empty.
    """

    models: Sequence[ModelUse] | None = None
    handoffs: Sequence[str] | None = None
    tools: Sequence[str] | None = None
    produces: Sequence[MessageType] | None = None
    inner: Sequence[InnerRun] = ()
    findings: Sequence[Finding] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class InnerRun:
    """An agent or a team that runs inside of an agent's turn.

    Attributes:
        name: Its name.
        outline: Its outline; None if it has none.
        runs: How often it runs in a turn.
        is_given_task: Whether it is given a task, instead of the conversation.
    """

    name: str
    outline: AgentOutline | TeamOutline | None
    runs: Bounds = ONCE
    is_given_task: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleOutline:
    """The outline of the rule of a team.

    Attributes:
        silent: Why a participant can never speak, by the participant's name.
        turns: The number of turns after which the rule itself ends a run.
        can_end: Whether the rule itself ends any run; None if that is not known.
        speakers: How many participants speak in one turn.
        speeches: How often each participant speaks in a run that the rule ends; None if that is not known.
        is_even: Whether all participants speak equally often.
        models: How it asks models for one decision; None if that is not known.
        at_start: How it asks models once, before the first turn of a run.
        at_end: How it asks models once, after the last turn of a run that it ends.
        says: How many messages of its own it adds to the conversation before each turn.
        heeds_handoffs: Whether a handoff decides who speaks next.
        findings: Its own findings. `where` is relative to the team, and may be empty.
    """

    silent: Mapping[str, str] = field(default_factory=dict[str, str])
    turns: Bounds = UNLIMITED
    can_end: bool | None = None
    speakers: Bounds = ONCE
    speeches: Mapping[str, Bounds] | None = None
    is_even: bool = False
    models: Sequence[ModelUse] | None = None
    at_start: Sequence[ModelUse] = ()
    at_end: Sequence[ModelUse] = ()
    says: Bounds = NEVER
    heeds_handoffs: bool = False
    findings: Sequence[Finding] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ConditionOutline:
    """The outline of a termination condition.

    Attributes:
        turns: The number of turns after which it is met: at the earliest, and at the latest if nothing else ends the
            run.
        tokens: The number of tokens at which it is met at the latest; None for any number.
        is_certain: Whether it is eventually met, regardless of the messages.
        impossible: Why it is never met; None if it may be.
        handoffs: The targets of handoffs that meet it.
        findings: Its own findings. `where` is relative to the team, and may be empty.
    """

    turns: Bounds = UNLIMITED
    tokens: int | None = None
    is_certain: bool = False
    impossible: str | None = None
    handoffs: Sequence[str] = ()
    findings: Sequence[Finding] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamOutline:
    """The outline of a team.

    Attributes:
        name: Its name.
        participants: Their outlines.
        rule: The rule's own.
        condition: The termination condition's own; None without a condition.
        max_turns: As given to the team.
        members: The participants themselves by their names, by which one that takes part in two teams is known.
    """

    name: str
    participants: Outlines
    rule: RuleOutline
    condition: ConditionOutline | None
    max_turns: int | None
    members: Mapping[str, object] = field(default_factory=dict[str, object])


Outlines: TypeAlias = Mapping[str, AgentOutline | TeamOutline | None]
"""The outlines of participants by their names; None for a participant without an outline."""


_T = TypeVar("_T")
_OutlineT = TypeVar("_OutlineT", AgentOutline, RuleOutline, ConditionOutline)


def participant_outline(name: str, ask: Callable[[], object]) -> AgentOutline | TeamOutline | None:
    """The outline of an agent or a team. If its `check_outline` fails, an empty outline with a finding.

    Args:
        name: Its name.
        ask: Its `check_outline`. It may be the user's own, and a check must not fail by it.
    """
    if isinstance(found := _outline_or_error(ask), AgentOutline | TeamOutline | None):
        return found
    return AgentOutline(findings=[_no_outline(name, found)])


def part_outline(where: str, kind: type[_OutlineT], ask: Callable[[], object]) -> _OutlineT:
    """The outline of a rule or a condition; see `participant_outline`."""
    found = _outline_or_error(ask)
    return found if isinstance(found, kind) else kind(findings=[_no_outline(where, found)])


def _outline_or_error(ask: Callable[[], object]) -> object:
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 - told as a finding
        return error


def _no_outline(what: str, found: object) -> Finding:
    problem = f"raised {found!r}" if isinstance(found, Exception) else f"returned {found!r}"
    return Finding(
        severity="warning",
        where="",
        what=f"{what} cannot be checked: its check_outline {problem}.",
        advice="Correct that method, or remove it: the part is then not checked.",
    )


class TeamProfile:
    """The participants of a team as their outlines describe them, for the outline of its termination condition.

    Args:
        participants: Their outlines by name.
        speakers: How many of them speak in one turn.
        rule_is_known: Whether the rule has an outline: it says no messages of other types.

    Attributes:
        sources: The names under which messages come: of all participants, those of nested teams included.
        handoffs: The targets of all handoffs; None if those of an agent are not known.
        tools: The names of all tools; None if an agent's are not known.
        produces: The types of all messages; None if those of an agent are not known.
        messages: How many chat messages a turn adds at least, and at most if that is known.
        is_known: Whether every agent has an outline that says which models it asks.
    """

    def __init__(self, participants: Outlines, speakers: Bounds = ONCE, *, rule_is_known: bool = False) -> None:
        found = dict(_all_agents(participants))
        agents = list(found.values())
        is_flat = all(isinstance(each, AgentOutline) and not each.inner for each in participants.values())
        self.sources: frozenset[str] = frozenset({*participants, *found})
        self.handoffs = _union([None if agent is None else agent.handoffs for agent in agents])
        self.tools = _union([None if agent is None else agent.tools for agent in agents])
        produced = [None if agent is None else agent.produces for agent in agents]
        self.produces = _union(produced) if rule_is_known else None
        self.messages = Bounds(max(1, speakers.low), speakers.high if is_flat else None)
        self.is_known = all(agent is not None and agent.models is not None for agent in agents)
        self._agents = agents

    def mentions(self, text: str) -> bool:
        """Whether the prompt of an agent has a text in it; True if the prompts of an agent are not known."""
        uses = [None if agent is None else agent.models for agent in self._agents]
        return any(use is None or any(text in words for one in use for words in _words(one)) for use in uses)


def _words(use: ModelUse) -> Iterable[str]:
    for message in use.prompt:
        if isinstance(message, SystemMessage | UserMessage) and isinstance(message.content, str):
            yield message.content
    for tool in use.tools:
        yield str(tool)


def _all_agents(participants: Outlines) -> Iterable[tuple[str, AgentOutline | None]]:
    """The agents by name at every depth; None for an agent without an outline."""
    for name, outline in participants.items():
        if isinstance(outline, TeamOutline):
            yield from _all_agents(outline.participants)
            continue
        yield name, outline
        if outline is not None:
            yield from _all_agents({each.name: each.outline for each in outline.inner})


def _union(known: Iterable[Sequence[_T] | None]) -> frozenset[_T] | None:
    """All names or types, or None if some are not known."""
    names: set[_T] = set()
    for each in known:
        if each is None:
            return None
        names.update(each)
    return frozenset(names)


def all_of(conditions: Sequence[ConditionOutline]) -> ConditionOutline:
    """Several conditions that have to be met, all of them."""
    return ConditionOutline(
        turns=Bounds(max(each.turns.low for each in conditions), _all([each.turns.high for each in conditions])),
        tokens=_all([each.tokens for each in conditions]),
        is_certain=all(each.is_certain for each in conditions),
        impossible=next((each.impossible for each in conditions if each.impossible), None),
        handoffs=[name for each in conditions for name in each.handoffs],
        findings=[finding for each in conditions for finding in each.findings],
    )


def any_of(conditions: Sequence[ConditionOutline]) -> ConditionOutline:
    """Several conditions of which one has to be met. One that is never met is a finding, unless none ever is."""
    possible = [each for each in conditions if each.impossible is None]
    findings = [finding for each in conditions for finding in each.findings]
    if not possible:
        return replace(conditions[0], findings=findings)
    findings += [never_met(each.impossible, "warning") for each in conditions if each.impossible is not None]
    return ConditionOutline(
        turns=Bounds(min(each.turns.low for each in possible), _any([each.turns.high for each in possible])),
        tokens=_any([each.tokens for each in possible]),
        is_certain=any(each.is_certain for each in possible),
        handoffs=[name for each in possible for name in each.handoffs],
        findings=findings,
    )


def never_met(reason: str, severity: Severity) -> Finding:
    """The finding for a condition that is never met."""
    return Finding(
        severity=severity,
        where="termination_condition",
        what=f"The condition is never met: {reason}.",
        advice="Change it, or leave it out.",
    )


def _all(limits: Sequence[int | None]) -> int | None:
    known = [limit for limit in limits if limit is not None]
    return max(known) if len(known) == len(limits) else None


def _any(limits: Sequence[int | None]) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
