"""A run of a team: what its stream shows and its result holds, read from the entries of the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, TypeVarTuple

from symposia.agentchat.base import TaskResult
from symposia.agentchat.messages import Item
from symposia.agentchat.teams._log_entries import ItemsShown, RunStarted, TeamLogEntry, TurnEnded, without_chunks
from symposia.core import CancellationToken
from symposia.core.effects import enter_scope
from symposia.core.models import RequestUsage

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Run:
    """One run of a team: a view of the log, from which its stream and its result come.

    What is shown in a turn that was not committed stays in the result of a run that the clock has ended in the middle
    of that turn: observers have seen it.

    Args:
        cancellation_token: Cancels the run, and is handed to the participants.
        output_task: Whether the messages of the task are shown, and are the first of the result.
        stream: Takes messages, events and chunks as they come, a batch at a time; None if only the result is wanted.
        emits_team_events: Whether the team's own events are shown; they carry the tokens of its decisions.

    Attributes:
        cancellation_token: As given.
        is_scoped: Whether scopes of effects are tracked.
        is_streamed: Whether there is a stream.
    """

    __slots__ = (
        "_emits_team_events",
        "_messages",
        "_output_task",
        "_silent_usage",
        "_stream",
        "_uncommitted",
        "cancellation_token",
        "is_scoped",
        "is_streamed",
    )

    def __init__(
        self,
        cancellation_token: CancellationToken | None,
        *,
        output_task: bool,
        emits_team_events: bool,
        stream: Callable[[Sequence[Item]], None] | None = None,
    ) -> None:
        self.cancellation_token = cancellation_token
        self.is_scoped = False
        self.is_streamed = stream is not None
        self._output_task = output_task
        self._emits_team_events = emits_team_events
        self._stream = stream
        self._messages: list[Item] = []
        self._uncommitted: frozenset[str] = frozenset()
        self._silent_usage: RequestUsage | None = None

    def within(self, kind: str, name: object, work: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> Awaitable[T]:
        """Do some work in a scope of effects inside that of the team.

        Where none is tracked this is the work itself. A ``with`` around the work would also make the text of the scope,
        or else a context manager that does nothing: three of these in each turn.
        """
        if not self.is_scoped:
            return work(*args)
        return _in_scope(kind if name is None else f"{kind}:{name}", work, *args)

    def read(self, entry: TeamLogEntry) -> None:
        """Show what an entry has to show, and keep what the result will hold."""
        match entry:
            case ItemsShown():
                if self._stream is not None:
                    self._stream(entry.items)
                if entry.is_of_team:
                    self._messages += without_chunks(entry.items)
            case TurnEnded():
                self._keep(entry)
                if entry.said and self._stream is not None:  # what speakers say was shown when they said it
                    self._stream(entry.said)
            case RunStarted() if self._output_task and entry.task:
                self._messages += entry.task
                if self._stream is not None:
                    self._stream(entry.task)
            case _:
                pass

    def result(self, stop_reason: str) -> TaskResult:
        """The result of the run, which ended for `stop_reason`."""
        # Not validated: messages are what they are.
        return TaskResult.model_construct(
            messages=self._messages,
            stop_reason=stop_reason,
            _silent_usage=self._silent_usage,
            _uncommitted=self._uncommitted,
        )

    def _keep(self, ended: TurnEnded) -> None:
        self._messages += ended.said
        for name in ended.speakers:
            self._messages += ended.shown[name]
            if name not in ended.answers:
                self._uncommitted |= {item.id for item in ended.shown[name]}
        for answer in ended.answers.values():
            self._count(answer.silent_usage)
        self._count(ended.lost_usage)
        if not self._emits_team_events:
            self._count(ended.usage)

    def _count(self, usage: RequestUsage | None) -> None:
        if usage is not None:
            self._silent_usage = usage if self._silent_usage is None else self._silent_usage + usage


async def _in_scope(segment: str, work: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    with enter_scope(segment):
        return await work(*args)
