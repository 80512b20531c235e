"""The decision as Markdown, with a table and a chart of how the positions moved. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from symposia.agentchat.teams import DebateResult, DebateRound, Vote
from symposia.core.terminal_text import escape_markdown, printable, printable_name
from symposia.presets.debate._outcome import DebateOutcome, DebateRun

RECORDED_NOTE: Final = "The models' answers are recorded."
"""Shown with a debate on recorded models."""

_BLOCK: Final = "█"
_BLOCK_MARKS: Final = frozenset("#>`~-+*<|")
_LABEL_LENGTH: Final = 40
"""The characters of a position's name in the chart, which is read in terminals too."""


_VOTED: Final = (DebateOutcome.DECIDED, DebateOutcome.NO_DECISION)
"""The outcomes that votes explain."""


def decision_page(run: DebateRun) -> str:
    """The decision, the conclusion, how each participant moved, what was agreed, and the dissent."""
    result = run.result
    parts = [
        f"# {_heading_as_markdown(run)}",
        result.reason if run.outcome in _VOTED else f"{result.reason} {run.detail}",
    ]
    if run.recorded:
        parts.append(f"> {RECORDED_NOTE}")
    if result.decision is not None:
        parts.append(f"**{escape_markdown(result.decision)}**: {escape_markdown(result.positions[result.decision])}")
    if result.conclusion:
        parts.append(result.conclusion.strip())
    if result.rounds:
        parts.append(f"## How the positions moved\n\n{_table(result)}\n\n{chart_as_markdown(result)}")
    if result.agreed:
        parts.append("## Agreed by all\n\n" + "\n".join(f"- {_one_line(point)}" for point in result.agreed))
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


def _heading_as_markdown(run: DebateRun) -> str:
    title, colon, decision = heading(run).partition(": ")
    return f"{title}{colon}{escape_markdown(decision)}"


def chart_as_markdown(result: DebateResult) -> str:
    """The chart in a fence that is longer than any in a name."""
    drawn = chart(result)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", drawn)), default=0))
    return f"{fence}text\n{drawn}\n{fence}"


def chart(result: DebateResult) -> str:
    """The votes for each position in each round, as bars of blocks. A last row has the abstentions, if any."""
    width = max(len(result.votes), len("round 10"))
    names = [name for name in result.positions if any(_count(each, name) for each in result.rounds)]
    rows = [(_label(name), [_count(each, name) for each in result.rounds]) for name in names]
    if any(_count(each, None) for each in result.rounds):
        rows.append(("(abstained)", [_count(each, None) for each in result.rounds]))
    first = max((len(name) for name, _ in rows), default=0)
    header = "  ".join(f"{f'round {each.number}':<{width}}" for each in result.rounds)
    lines = [f"{'':<{first}}  {header}"]
    for name, counts in rows:
        bars = "  ".join(f"{_BLOCK * count:<{width}}" for count in counts)
        lines.append(f"{name:<{first}}  {bars}")
    return "\n".join(line.rstrip() for line in lines)


def _label(name: str) -> str:
    shown = printable_name(name)
    return shown if len(shown) <= _LABEL_LENGTH else f"{shown[: _LABEL_LENGTH - 1]}…"


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
    because = f": {' '.join(vote.reason.split())}" if vote.reason else ""
    return f"{vote}{because}"


def _one_line(text: str) -> str:
    """A sentence of a model as an item of a list, escaped so that it begins no heading, fence or list."""
    line = " ".join(text.split())
    return f"\\{line}" if line[:1] in _BLOCK_MARKS else line
