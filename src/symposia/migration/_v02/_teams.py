"""The expressions that make teams, and what ends them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symposia.migration._v02._agents import Agent
from symposia.migration._v02._conditions import Condition
from symposia.migration._v02._items import arguments_text
from symposia.migration._v02._models import Models

_TEAMS = "symposia.agentchat.teams"
_CONDITIONS = "symposia.agentchat.conditions"
_SHORT = 80


@dataclass(frozen=True)
class Team:
    """The expression that makes a team."""

    kind: str
    arguments: Sequence[str]
    ends: Sequence[str]

    def text(self, line_start: str) -> str:
        """The expression, on one line where it is short."""
        joined = " | ".join(self.ends)
        if len(joined) > _SHORT:
            joined = f"{line_start}    | ".join(self.ends)
        condition = [f"termination_condition={joined}"] if self.ends else []
        return f"{self.kind}({arguments_text([*self.arguments, *condition], line_start)})"


@dataclass(frozen=True)
class Teams:
    """Writes teams and conditions, and notes their imports."""

    models: Models

    def team(self, kind: str, speakers: Sequence[Agent], ends: Sequence[str], *options: str) -> Team:
        """The team of some agents, with further arguments."""
        self.models.imports.add((_TEAMS, kind))
        participants = f"[{', '.join(each.construct.variable for each in speakers)}]"
        return Team(kind, [participants, *options], list(dict.fromkeys(each for each in ends if each)))

    def condition(self, condition: Condition | None, sources: Sequence[str]) -> str:
        """A condition, for the messages of some agents, or of all; empty for none."""
        if condition is None:
            return ""
        is_plain = condition.predicate.endswith('== "TERMINATE"') and not condition.mention
        kind, text = condition.expression([] if is_plain else sources)
        self.models.imports.add((_CONDITIONS, kind))
        return text

    def limit(self, messages: int) -> str:
        """The condition of a number of messages, with the task."""
        self.models.imports.add((_CONDITIONS, "MaxMessageTermination"))
        return f"MaxMessageTermination({messages})"
