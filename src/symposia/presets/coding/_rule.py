"""The rule of the coding swarm. Pure: the transcript alone decides, and there is no state to save.

    planner → coder → executor ─┬─ it failed, or there was no code ──→ coder
                                └─ it ran ──→ reviewer ─┬─ sent back ──→ coder
                                                        └─ approved ──→ stop

A program that failed goes back without the reviewer: its error says more than a review could. Where nothing changes any
more, the swarm stops: see `SAME_PROGRAMS` and `SAME_FAILURES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from symposia.agentchat.base import Bounds, Outlines, RuleOutline
from symposia.agentchat.messages import BaseChatMessage, ExecutionMessage, StructuredMessage
from symposia.agentchat.teams import Decision, RuleContext, Speak, Stop, Transcript
from symposia.presets.coding._outcome import NO_CODE_ANSWERS, SAME_FAILURES, SAME_PROGRAMS, CodingOutcome
from symposia.presets.coding._prompts import Plan, Review

PLANNER: Final = "planner"
CODER: Final = "coder"
EXECUTOR: Final = "executor"
REVIEWER: Final = "reviewer"


def next_step(transcript: Transcript) -> Decision:
    """Select the next speaker, or stop the swarm: the reason is the value of a `CodingOutcome`."""
    last = next(_latest_first(transcript), None)
    match last:
        case StructuredMessage(content=Plan()):
            return Speak((CODER,))
        case ExecutionMessage():
            return _after_execution(last, transcript)
        case StructuredMessage(content=Review() as review):
            return Stop(CodingOutcome.VERIFIED) if review.approved else _again(transcript)
        case BaseChatMessage() if last.source == CODER:
            return Speak((EXECUTOR,))
        case _:
            return Speak((PLANNER,))


def _after_execution(last: ExecutionMessage, transcript: Transcript) -> Decision:
    if last.succeeded:
        return Speak((REVIEWER,))
    if _answers_without_code(transcript) >= NO_CODE_ANSWERS:
        return Stop(CodingOutcome.NO_CODE)
    return _again(transcript)


def _again(transcript: Transcript) -> Decision:
    """The coder's next try, unless the last ones show that nothing would change."""
    executions = [message for message in transcript if isinstance(message, ExecutionMessage) and message.runs]
    programs = [tuple(run.block.code.split() for run in message.runs) for message in executions]
    if programs and programs.count(programs[-1]) >= SAME_PROGRAMS:
        return Stop(CodingOutcome.NO_PROGRESS)
    latest = executions[-SAME_FAILURES:]
    failures = {_failure(message) for message in latest}
    if len(latest) == SAME_FAILURES and len(failures) == 1 and None not in failures:
        return Stop(CodingOutcome.NO_PROGRESS)
    return Speak((CODER,))


def _failure(execution: ExecutionMessage) -> tuple[str, str] | None:
    """How a program failed: the limit that it met, or its status and the last line of its error; None if it did not."""
    run = execution.runs[-1]
    if execution.succeeded:
        return None
    if run.ended_by:
        return run.status, run.ended_by
    error = run.streams[1][1]
    return run.status, next((line for line in reversed(error.splitlines()) if line.strip()), "")


def _answers_without_code(transcript: Transcript) -> int:
    """How many of the coder's latest answers held no code."""
    count = 0
    for message in _latest_first(transcript):
        if isinstance(message, ExecutionMessage):
            if message.runs:
                break
            count += 1
    return count


def _latest_first(transcript: Transcript) -> Iterator[BaseChatMessage]:
    return (message for message in reversed(transcript) if isinstance(message, BaseChatMessage))


class CodingRule:
    """`next_step` as the rule of a team."""

    async def decide(self, transcript: Transcript, _context: RuleContext, /) -> Decision:
        """Select the next speaker, or stop the swarm."""
        return next_step(transcript)

    def check_outline(self, participants: Outlines, /) -> RuleOutline:
        """One plan, then code, runs and reviews, each at least once: a run that fails has no review."""
        again = Bounds(1, None)
        speeches = {PLANNER: Bounds(1, 1), CODER: again, EXECUTOR: again, REVIEWER: again}
        return RuleOutline(turns=Bounds(len(participants), None), can_end=True, speeches=speeches, models=())

    def save_state(self) -> Mapping[str, object]:
        """Nothing."""
        return {}

    def load_state(self, state: Mapping[str, object], /) -> None:
        """Nothing to load."""

    def reset(self) -> None:
        """Nothing to forget."""
