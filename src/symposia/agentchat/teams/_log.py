"""The log of a team as it is written: its record and its run read each entry at once, its listeners later."""

from __future__ import annotations

from collections.abc import Sequence

from symposia.agentchat._answers import checked_awaitable
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
from symposia.core import uninterrupted
from symposia.core.runtimes import Failures


class TeamLog:
    """The log as it is written.

    An entry is appended first and passed to the listeners later, since its change includes that of the termination
    condition. If it were passed on at once, that change would be missing or would belong to the next entry.

    Args:
        record: Adds up the entries.
        saver: Gives what changed in the team's state.

    What the listeners have is always a state of the team. An entry is written to all of them, however often the run is
    cancelled meanwhile: a write that is cut off could have reached some of them only, or the file of one by half. If
    one of them fails, the others are given the entry nevertheless. Who has received what is then uncertain, so the
    change of the next entry is the whole state. Rejected: to keep a mark for each listener (they would be given
    different changes in the same entry), and to repeat the entry for a listener that has failed (it may have taken it).

    Attributes:
        run: The run under way.
        has_listeners: Whether there is a listener.
    """

    def __init__(self, record: TeamRecord, saver: TeamSaver) -> None:
        self.run: Run | None = None
        self.has_listeners = False
        self._record = record
        self._saver = saver
        self._attached: list[TeamLogListener] = []  # a listener is in it as often as it is attached
        self._reported: object | None = None  # the mark of the state that all listeners have; None if they may differ

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

        Raises:
            asyncio.CancelledError: The caller was cancelled. The entry is written.
            Exception: What a listener raised, with the errors of further ones as notes; or what the participants raised
                when they were asked for their states: then nothing is written.
        """
        if self._attached:
            await uninterrupted(self._write(entry, names))

    async def write_state(self) -> None:
        """Write the whole state to the listeners."""
        self._reported = None
        await self.write(StateRecorded())

    async def attach(self, listener: TeamLogListener) -> None:
        """Write to `listener` from now on, beginning with the state as it is; not during a run.

        A listener that is attached twice is given each entry once, until it is detached twice.
        """
        self._attached.append(listener)
        self.has_listeners = True
        try:
            await self.write_state()
        except BaseException:
            self.detach(listener)
            raise

    def detach(self, listener: TeamLogListener) -> None:
        """Write to `listener` no more, unless it is attached once more."""
        place = next(place for place, each in enumerate(self._attached) if each is listener)
        del self._attached[place]
        self.has_listeners = bool(self._attached)
        if not self._attached:
            self._reported = None

    async def _write(self, entry: TeamLogEntry, names: Sequence[str] | None) -> None:
        """Write an entry. Nothing cancels it."""
        # Taken out first: after any failure, the next change is the whole state.
        reported, self._reported = self._reported, None
        if not isinstance(entry, DecisionMade):  # which changes no state before the turn ends
            entry.change, reported = await self._saver.save_changes(reported, names)
        failures = Failures()
        for listener in {id(each): each for each in self._attached}.values():
            try:
                await checked_awaitable("write", "log listener", type(listener).__name__, listener.write(entry))
            except BaseException as error:  # noqa: BLE001 - raised below, when all listeners have the entry
                failures.add(error)
        failures.raise_first()
        if self._attached:
            self._reported = reported
