"""The outbox of a participant: the messages and events of a turn on their way to the team."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from symposia.agentchat.messages import BaseChatMessage, Item
from symposia.agentchat.teams._messages import TurnTaken
from symposia.core.models import RequestUsage


class Outbox:
    """Collects the items of a turn and sends them once per iteration of the event loop.

    A runtime message for each chunk would cost more than the chunk. Rejected: a timer, which would delay each chunk. An
    iteration of the loop adds no delay, since the reader of the stream cannot run earlier.

    Args:
        team: The id of the team.
        address: The id of the participant that takes the turn, as text.
        send: Sends items to the team.
        on_ended: Called with the whole answer, at once when the turn ends. What is sent arrives later, and not at all
            if the turn is cancelled by then.

    Attributes:
        team: As given.
        address: As given.
    """

    __slots__ = ("_items", "_on_ended", "_send", "_sending", "_sent", "_tick", "address", "team")

    def __init__(
        self,
        team: str,
        address: str,
        send: Callable[[Sequence[Item]], Awaitable[object]],
        on_ended: Callable[[TurnTaken], None],
    ) -> None:
        self.team = team
        self.address = address
        self._send = send
        self._on_ended = on_ended
        self._items: list[Item] = []
        self._sent: list[Item] = []
        self._tick: asyncio.Handle | None = None
        self._sending: asyncio.Task[None] | None = None

    def put(self, item: Item) -> None:
        """Send `item` in the next iteration of the event loop."""
        self._items.append(item)
        if self._tick is None and (self._sending is None or self._sending.done()):
            self._tick = asyncio.get_running_loop().call_soon(self._start_sending)

    def end(
        self,
        items: Sequence[Item],
        messages: Sequence[BaseChatMessage],
        silent_usage: RequestUsage | None = None,
        ordered: Sequence[Item] | None = None,
    ) -> None:
        """Commit the answer of the turn, before it is sent.

        Without this, cancelling the turn while the answer is on its way would lose an answer that the participant
        remembers, and give it the same messages again. Rejected: participants that recognise messages that they have
        answered. Equal messages could not be distinguished, and the answer would still be lost.

        Args:
            items: Items of the turn that were not put into the outbox.
            messages: As in `TurnTaken`.
            silent_usage: As in `TurnTaken`.
            ordered: As in `TurnTaken`.
        """
        whole = ordered if ordered is not None else [*self._sent, *self._items, *items]
        self._on_ended(TurnTaken(self.team, (), messages, silent_usage, whole))

    async def take_rest(self) -> list[Item]:
        """Wait until the sent items have arrived, and return those that were not sent."""
        if self._sending is not None:
            await self._sending
        rest, self._items = self._items, []
        return rest

    async def flush(self) -> None:
        """Send what is not sent yet, and wait until all of it has arrived."""
        if self._tick is not None:
            self._tick.cancel()
            self._start_sending()
        if self._sending is not None:
            await self._sending

    def close(self) -> None:
        """Send nothing more: the turn was cancelled, or nothing is left to send."""
        if self._tick is not None:
            self._tick.cancel()
        if self._sending is not None:
            self._sending.cancel()

    def _start_sending(self) -> None:
        self._tick = None
        self._sending = asyncio.get_running_loop().create_task(self._send_all())

    async def _send_all(self) -> None:
        while self._items:
            items, self._items = self._items, []
            self._sent += items
            await self._send(items)
