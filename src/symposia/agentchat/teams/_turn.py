"""A turn under way, and how its speakers speak at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from symposia.agentchat.messages import BaseChatMessage, Item
from symposia.agentchat.teams._log_entries import TurnEnded, without_chunks
from symposia.agentchat.teams._messages import TurnTaken
from symposia.agentchat.teams._rule import Restart, Say
from symposia.core.changes import SavedState
from symposia.core.exceptions import error_text
from symposia.core.models import RequestUsage, UsageAccount


class Turn:
    """The turn under way: what becomes a `TurnEnded`.

    A plain class, since a dataclass with such defaults takes three times as long to make.

    Args:
        number: Of the turn, over the life of the team.
        rule_state: The rule's state before it decided.

    Attributes:
        number: As given.
        rule_state: As given.
        names: The speakers, in the order of the decision; none before it.
        pending: The messages that each speaker is given.
        shown: The messages and events that each speaker has shown.
        answers: The answer of each speaker that has ended its turn.
        on_their_way: Answers that speakers have given and the team has not received: each is whole, with `ordered`.
        usage: The tokens of the decision.
        changed: The participants whose state may be another one after the turn.
        account: All tokens that are spent in the turn.
    """

    __slots__ = (
        "account",
        "answers",
        "changed",
        "names",
        "number",
        "on_their_way",
        "pending",
        "rule_state",
        "shown",
        "usage",
    )

    def __init__(self, number: int, rule_state: SavedState) -> None:
        self.number = number
        self.rule_state = rule_state
        self.names: tuple[str, ...] = ()
        self.pending: dict[str, Sequence[BaseChatMessage]] = {}
        self.shown: dict[str, list[Item]] = {}
        self.answers: dict[str, TurnTaken] = {}
        self.on_their_way: dict[str, TurnTaken] = {}
        self.usage: RequestUsage | None = None
        self.changed: Sequence[str] = ()
        self.account = UsageAccount()

    @property
    def unanswered(self) -> Sequence[str]:
        """The speakers that have not ended their turn."""
        return [name for name in self.names if name not in self.answers]

    def show(self, name: str, items: Sequence[Item]) -> None:
        """Keep what a speaker shows."""
        self.shown[name] += without_chunks(items)

    def answer(self, name: str, answer: TurnTaken) -> None:
        """Keep the answer of a speaker, which ends its turn."""
        if answer.ordered is not None:
            self.shown[name] = without_chunks(answer.ordered)
        self.answers[name] = answer

    def has_answered(self, name: str) -> bool:
        """Whether a speaker has ended its turn, also if the answer is on its way."""
        return name in self.answers or name in self.on_their_way

    def receive_all(self) -> None:
        """Take the answers that are on their way, which a cancellation would lose."""
        for name in self.unanswered:
            if name in self.on_their_way:
                self.answer(name, self.on_their_way[name])

    def ended(self, error: str | None = None) -> TurnEnded:
        """The turn as it ends now."""
        return TurnEnded(
            turn=self.number,
            speakers=self.names,
            answers=self.answers,
            shown=self.shown,
            usage=self.usage,
            error=error,
        )

    def failed(self, error: str) -> TurnEnded:
        """The turn as it ends now, by an error. What its calls of models took is in no answer."""
        ended = self.ended(error)
        shown = (item.models_usage for items in self.shown.values() for item in items)
        silent = (answer.silent_usage for answer in self.answers.values())
        ended.lost_usage = self.account.beyond([self.usage, *shown, *silent])
        return ended

    def ended_with(self, decision: Say) -> TurnEnded:
        """The turn in which the team itself spoke."""
        ended = self.ended()
        ended.said, ended.is_reset = decision.messages, isinstance(decision, Restart)
        return ended

    def if_cancelled(self, answered: Sequence[str], number: int) -> TurnEnded:
        """The turn as if it were cancelled now.

        Args:
            answered: The speakers whose answers count.
            number: The number that the turn is to have.
        """
        return TurnEnded(
            turn=number,
            speakers=self.names,
            answers={name: self.answers.get(name) or self.on_their_way[name] for name in answered},
            shown={name: self._shown_by(name) for name in self.names},
            usage=self.usage,
            error=repr(asyncio.CancelledError()),
        )

    def _shown_by(self, name: str) -> list[Item]:
        early = None if name in self.answers else self.on_their_way.get(name)
        return without_chunks(self.shown[name] if early is None else early.ordered or ())


async def speak_together(names: Sequence[str], speak: Callable[[str], Awaitable[None]]) -> None:
    """Let the speakers of a turn speak at the same time, and wait for all of them.

    Unlike a task group, `gather` lets the others continue when one fails; when it is cancelled it also waits until all
    of them have ended. What ends a program (an interrupt, an exit) does not wait for anyone.

    Args:
        names: The speakers, in the order of the decision.
        speak: Lets one of them speak.

    Raises:
        BaseException: What one of them raised. Of several errors, the first in the order of the decision, with the
            others as notes: which of them came first depends on timing.
    """
    speaking = [asyncio.ensure_future(speak(name)) for name in names]
    for one in speaking:
        one.add_done_callback(lambda ended: _interrupt_others(ended, speaking))
    ends = await asyncio.gather(*speaking, return_exceptions=True)
    failed = [(name, end) for name, end in zip(names, ends, strict=True) if end is not None]
    failed.sort(key=lambda one: _rank(one[1]))
    if failed:
        _, first = failed[0]
        for name, error in failed[1:]:
            first.add_note(f"{name!r} failed in the same turn: {error_text(error, repr)}")
        raise first


def _interrupt_others(ended: asyncio.Future[None], speaking: Sequence[asyncio.Future[None]]) -> None:
    """Cancel the other speakers if one was ended by what ends programs."""
    if not ended.cancelled() and (error := ended.exception()) is not None and _rank(error) == 0:
        for one in speaking:
            one.cancel()


def _rank(error: BaseException) -> int:
    """Which of several errors of a turn is raised: first what ends programs, then errors, then cancellations."""
    if isinstance(error, asyncio.CancelledError):
        return 2
    return 1 if isinstance(error, Exception) else 0
