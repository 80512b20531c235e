"""The decision as Markdown, with a table and a chart of how the positions moved. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from symposia.agentchat.teams import DebateResult, DebateRound, Vote
from symposia.core.terminal_text import escape_markdown, printable
from symposia.presets.debate._outcome import DebateOutcome, DebateRun

RECORDED_NOTE: Final = "The models' answers are recorded."
"""Shown with a debate on recorded models."""

_BLOCK: Final = "█"


def decision_page(run: DebateRun) -> str:
    """The decision, the conclusion, how each participant moved, what was agreed, and the dissent."""
    result = run.result
    parts = [f"# {heading(run)}", result.reason if result.ending != "stopped" else f"{result.reason} {run.detail}"]
    if run.recorded:
        parts.append(f"> {RECORDED_NOTE}")
    if result.decision is not None:
        parts.append(f"**{escape_markdown(result.decision)}**: {escape_markdown(result.positions[result.decision])}")
    if result.conclusion:
        parts.append(result.conclusion.strip())
    if result.rounds:
        parts.append(f"## How the positions moved\n\n{_table(result)}\n\n```text\n{chart(result)}\n```")
    if result.agreed:
        parts.append("## Agreed by all\n\n" + "\n".join(f"- {point}" for point in result.agreed))
    if result.dissent:
        dissent = [f"- **{each.participant}** {_vote_with_reason(each.vote)}" for each in result.dissent]
        parts.append("## Dissent\n\n" + "\n".join(dissent))
    parts.append("## Question\n\n" + "\n".join(f"> {line}".rstrip() for line in run.task.question.strip().splitlines()))
    positions = [f"- **{escape_markdown(name)}**: {escape_markdown(text)}" for name, text in result.positions.items()]
    parts.append("## Positions\n\n" + "\n".join(positions))
    return printable("\n\n".join(parts)) + "\n"


def heading(run: DebateRun) -> str:
    """The decision, or that there is none, in a few words."""
    if run.outcome is DebateOutcome.DECIDED:
        return f"Decision: {run.result.decision}"
    return "No decision"


def chart(result: DebateResult) -> str:
    """The votes for each position in each round, as bars of blocks. A last row has the abstentions, if any."""
    width = max(len(result.votes), len("round 10"))
    names = [name for name in result.positions if any(_count(each, name) for each in result.rounds)]
    rows: list[tuple[str, list[int]]] = [(name, [_count(each, name) for each in result.rounds]) for name in names]
    if any(_count(each, None) for each in result.rounds):
        rows.append(("(abstained)", [_count(each, None) for each in result.rounds]))
    first = max((len(name) for name, _ in rows), default=0)
    header = "  ".join(f"{f'round {each.number}':<{width}}" for each in result.rounds)
    lines = [f"{'':<{first}}  {header}"]
    for name, counts in rows:
        bars = "  ".join(f"{_BLOCK * count:<{width}}" for count in counts)
        lines.append(f"{name:<{first}}  {bars}")
    return "\n".join(line.rstrip() for line in lines)


def _count(of: DebateRound, position: str | None) -> int:
    return sum(vote.position == position for vote in of.votes.values())


def _table(result: DebateResult) -> str:
    """A row for each participant, with its vote in each round. A change of position is bold, behind an arrow."""
    columns = [f"round {each.number}{' (independent)' if each.independent else ''}" for each in result.rounds]
    rows = [f"| | {' | '.join(columns)} |", f"|---{'|---' * len(columns)}|"]
    rows += [f"| {name} | {' | '.join(_cells(name, result))} |" for name in result.votes]
    return "\n".join(rows)


def _cells(name: str, result: DebateResult) -> Iterator[str]:
    before: Vote | None = None
    for each in result.rounds:
        vote = each.votes.get(name)
        if vote is None:
            yield ""
            continue
        if vote.position is None:
            text = "abstained"
        else:
            text = escape_markdown(vote.position)
            if before is not None and before.position != vote.position:
                text = f"**→ {text}**"
            text = f"{text} {vote.confidence:.0%}"
        before = vote
        yield text


def _vote_with_reason(vote: Vote) -> str:
    because = f": {vote.reason}" if vote.reason else ""
    return f"{vote}{because}"
