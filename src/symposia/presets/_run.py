"""What the runs of the presets share: the functions that they call, their limits, and how one ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeAlias, TypeVar

from symposia.agentchat.base import OrTerminationCondition, TerminationCondition
from symposia.agentchat.checks import TeamCheck
from symposia.agentchat.conditions import ReasonedTermination
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.core.exceptions import InvalidArgumentError

Watch: TypeAlias = Callable[[BaseAgentEvent | BaseChatMessage], None]
"""Receives each message, event, and piece of a streamed message, on the event loop."""

Started: TypeAlias = Callable[[str], None]
"""Receives the name of the sandbox when it has started, before anything else."""

Checked: TypeAlias = Callable[[TeamCheck], None]
"""Receives the check of the team, before its messages."""

OutcomeT = TypeVar("OutcomeT", bound=StrEnum)


def ignore(_: object) -> None:
    """Ignore what a run reports."""


def check_limits(**limits: float | None) -> None:
    """Check the limits of a run; None is no limit.

    Raises:
        InvalidArgumentError: A limit is not above zero.
    """
    for name, limit in limits.items():
        if limit is not None and not limit > 0:  # NaN is not above zero either
            raise InvalidArgumentError(f"{name} is {limit}, and has to be above 0.")


def limit_condition(limits: Mapping[OutcomeT, TerminationCondition]) -> TerminationCondition:
    """The limits of a run as the condition of its team. Its reason to stop is the outcome; see `outcome_of`."""
    return OrTerminationCondition(*(ReasonedTermination(limit, outcome) for outcome, limit in limits.items()))


def outcome_of(outcomes: type[OutcomeT], stop_reason: str | None) -> OutcomeT | None:
    """The outcome that a reason to stop names; the first of several, since one message can meet several limits."""
    reasons = (stop_reason or "").split(", ")
    return next((outcome for outcome in outcomes if outcome in reasons), None)
