"""The log of a team as it is written: its record and its run read each entry at once, its listeners later."""

from __future__ import annotations

from collections.abc import Sequence

from symposia.agentchat.messages import Item
from symposia.agentchat.teams._log_entries import (
    DecisionMade,
    ItemsShown,
    RunEnded,
    RunStarted,
    StateRecorded,
    TeamLogEntry,
    TeamLogListener,
    TurnEnded,
)
from symposia.agentchat.teams._record import TeamRecord
from symposia.agentchat.teams._run import Run
from symposia.agentchat.teams._saving import TeamSaver


class TeamLog:
    """The log as it is written.

    An entry is appended first and passed to the listeners later, since its change includes that of the termination
    condition. If it were passed on at once, that change would be missing or would belong to the next entry.

    Args:
        record: Adds up the entries.
        saver: Gives what changed in the team's state.

    Attributes:
        run: The run under way.
        has_listeners: Whether there is a listener.
    """

    def __init__(self, record: TeamRecord, saver: TeamSaver) -> None:
        self.run: Run | None = None
        self.has_listeners = False
        self._record = record
        self._saver = saver
        self._listeners: tuple[TeamLogListener, ...] = ()
        self._reported: object | None = None  # the mark of the state that the listeners have received

    def append(self, entry: RunStarted | TurnEnded | RunEnded) -> None:
        """Commit an entry."""
        self._record.read(entry)
        if self.run is not None:
            self.run.read(entry)

    def show(self, items: Sequence[Item], *, is_of_team: bool = False) -> None:
        """Append an `ItemsShown`, which is for the run alone."""
        if self.run is not None and (self.run.is_streamed or is_of_team):
            self.run.read(ItemsShown(items=items, is_of_team=is_of_team))

    async def write(self, entry: TeamLogEntry, names: Sequence[str] | None = None) -> None:
        """Write an entry to the listeners, with what changed.

        Args:
            entry: The entry.
            names: The participants whose state may have changed; None for all.
        """
        if self._listeners:
            if not isinstance(entry, DecisionMade):  # which changes no state before the turn ends
                entry.change, self._reported = await self._saver.save_changes(self._reported, names)
            for listener in self._listeners:
                await listener.write(entry)

    async def write_state(self) -> None:
        """Write the whole state to the listeners."""
        if self._listeners:
            self._reported = None
            await self.write(StateRecorded())

    async def attach(self, listener: TeamLogListener) -> None:
        """Write to `listener` from now on, beginning with the state as it is; not during a run."""
        self._listeners = (*self._listeners, listener)
        self.has_listeners = True
        await self.write_state()

    def detach(self, listener: TeamLogListener) -> None:
        """Write to `listener` no more."""
        self._listeners = tuple(each for each in self._listeners if each is not listener)
        self.has_listeners = bool(self._listeners)
        if not self.has_listeners and self._reported is not None:
            self._saver.forget(self._reported)
            self._reported = None
