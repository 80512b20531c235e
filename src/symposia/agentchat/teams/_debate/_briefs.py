"""The briefs of a debate: the prompts of its agents in each round. Pure functions.

A brief is two texts. The first is the same in every round, so that vendors can read it from their prompt caches. The
second has the state of the debate and the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from symposia.agentchat.teams._debate._record import DebateRecord, DebateSetup
from symposia.agentchat.teams._debate._votes import Verdict

_ADVICE: Final = (
    "Support what you say with facts, figures and examples. Answer the arguments of the others, grant what is right in "
    "them, and change your position when another one has the better reasons. After each statement you vote."
)
_CRITICISE: Final = (
    "After each round you name the weakest point of each position that is still argued for: an assumption without "
    "evidence, a figure that cannot be right, a case that was not considered, a cost that was left out. Be specific, "
    "and say what would have to be shown."
)
_MODERATE: Final = (
    "After each round you write the summary from which the participants continue; what it leaves out is lost to them. "
    "You also list the points on which all of them agree by now, each as one sentence."
)


class Brief(NamedTuple):
    """The prompt of an agent.

    Attributes:
        standing: The text that is the same in every round.
        present: The state of the debate, and the request.
    """

    standing: str
    present: str


def debater_brief(name: str, record: DebateRecord, setup: DebateSetup) -> Brief:
    """The brief of a debater for its statement."""
    number = record.next_round_of(name)
    if setup.simultaneous and not _is_complete_for(record, name):
        # The debater failed in a round in which others have spoken: it gets the same brief again.
        record = record.model_copy(update={"rounds": record.rounds[:-1]})
    held = setup.held.get(name)
    holds = f"You argue for {held!r} at first." if held else "You hold none of the positions at first."
    standing = [
        f"You are {name}, one of {len(setup.debaters)} participants in a debate that has to reach a decision.",
        *_subject(record, setup),
        f"{holds} {_ADVICE}",
    ]
    if number <= setup.endings.independent_rounds:
        own = next((each.statements[name] for each in reversed(record.rounds) if name in each.statements), "")
        shown = _section(f"Your last statement:\n\n{own}" if own else "", *_remarks(record))
        now = "The others write at the same time as you: you see nothing of each other yet. State your case"
    else:
        shown = _section(_summary(record), *_votes(record, setup), *_statements(record, setup, name), *_remarks(record))
        now = "Answer what the others said, and say where you stand now"
    limit = setup.endings.max_rounds
    return Brief(_section(*standing), _section(f"Round {number} of at most {limit}.", shown, f"{now}, in 150 words."))


def critic_brief(record: DebateRecord, setup: DebateSetup) -> Brief:
    """The brief of the critic."""
    standing = [
        f"You are the critic of a debate between {_listed(setup.debaters)}. You hold no position and do not vote.",
        *_subject(record, setup),
        _CRITICISE,
    ]
    shown = [_summary(record), *_votes(record, setup), *_statements(record, setup, None), *_remarks(record)]
    return Brief(_section(*standing), _section(*shown, "Criticise this round, in 150 words."))


def moderator_brief(record: DebateRecord, setup: DebateSetup, verdict: Verdict | None) -> Brief:
    """The brief of the moderator: to sum up, or with a verdict to conclude."""
    standing = [
        f"You moderate a debate between {_listed(setup.debaters)}. You hold no position and do not vote.",
        *_subject(record, setup),
        _MODERATE,
    ]
    shown = [_summary(record), *_votes(record, setup), *_statements(record, setup, None), *_remarks(record)]
    if verdict is None:
        task = (
            "Sum up the whole debate until now, in at most 200 words: the arguments that still stand, those that were "
            "refuted, what is disputed, and the question to settle next."
        )
    else:
        task = (
            f"The debate is over. {verdict.reason} Write the conclusion, in at most 200 words, for readers who did not "
            "follow it: what is decided, the arguments that decided it, under which conditions it holds, and the "
            "strongest objection that remains. Do not decide otherwise than the votes."
        )
    return Brief(_section(*standing), _section(*shown, task))


def _subject(record: DebateRecord, setup: DebateSetup) -> Sequence[str]:
    options = "\n".join(f"- {option.name}: {option.text}" for option in setup.options)
    return f"The question:\n\n{record.question}", f"The positions:\n\n{options}"


def _summary(record: DebateRecord) -> str:
    return f"The debate until the last round:\n\n{record.summary}" if record.summary else ""


def _votes(record: DebateRecord, setup: DebateSetup) -> Iterable[str]:
    """The votes of the last rounds, each in a line, and those of the latest one with their reasons."""
    if record.latest is None:
        return
    lines: list[str] = []
    for each in record.rounds:
        votes = [(name, each.votes[name]) for name in setup.debaters if name in each.votes]
        if each is record.latest:
            lines += [f"Round {each.number}:", *(f"- {name} {vote}: {vote.reason}" for name, vote in votes)]
        else:
            lines.append(f"Round {each.number}: {'; '.join(f'{name} {vote}' for name, vote in votes)}")
    yield "The votes:\n\n" + "\n".join(lines)


def _statements(record: DebateRecord, setup: DebateSetup, reader: str | None) -> Iterable[str]:
    """The statements since the last one of `reader`, with that one; if `reader` is None, those of the last round.

    They include the statements of others in an unfinished round.
    """
    shown = record.rounds[-1:] if reader is None or _is_complete_for(record, reader) else record.rounds[-2:]
    for each in shown:
        for name in setup.debaters:
            if name in each.statements:
                whose = "Your own statement" if name == reader else f"The statement of {name}"
                yield f"{whose} in round {each.number}:\n\n{each.statements[name]}"
        if each.critique:
            yield f"The critic on round {each.number}:\n\n{each.critique}"


def _is_complete_for(record: DebateRecord, reader: str) -> bool:
    """Whether the reader has spoken in the latest round, so that its next statement begins another one."""
    return record.latest is not None and reader in record.latest.votes


def _remarks(record: DebateRecord) -> Iterable[str]:
    if record.remarks:
        yield "Remarks from outside the debate:\n\n" + "\n".join(f"- {remark}" for remark in record.remarks)


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _section(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
