"""The errors of senders that would wait too long, or for ever."""

from __future__ import annotations

from collections.abc import Iterable

from symposia.core._agent_id import AgentId
from symposia.core.exceptions import DeadlineExceededError, DeadlockError


def deadline_exceeded(agent: AgentId, waits_for: Iterable[AgentId] = ()) -> DeadlineExceededError:
    """The error that names an agent that is too slow, and the ones that it was waiting for."""
    below = " → ".join(map(str, waits_for))
    because = f", waiting for {below}" if below else ""
    return DeadlineExceededError(f"Agent {agent} did not answer before its deadline{because}.")


def circular_wait(circle: Iterable[AgentId]) -> DeadlockError:
    """The error that names agents of which each waits for the next; the first is also the last."""
    return DeadlockError(
        f"Agents wait for each other: {' → '.join(map(str, circle))}. Let one of them publish its message instead of "
        "awaiting an answer, or let its class handle messages concurrently."
    )
