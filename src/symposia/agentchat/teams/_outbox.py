"""What happens during a turn of a participant, on its way to the team."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from symposia.agentchat.messages import BaseChatMessage, Item
from symposia.agentchat.teams._messages import TurnTaken
from symposia.core.models import RequestUsage


class Outbox:
    """Gathers what happens during a turn and sends it once a tick of the event loop.

    A message for each chunk would cost more than the chunk. A timer would add its delay to each one; a tick adds none,
    since the reader of the stream cannot run before it.

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
        """Send `item` with the next tick."""
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
        """The turn has ended: from now on the answer counts, though it is still to be sent.

        Without this, cancelling the turn while the answer is on its way would lose what the participant remembers to
        have said, and give it the same messages again. Rejected: to let each participant recognise messages that it has
        answered (they could not be told from equal ones, and the answer would still be lost).

        Args:
            items: What belongs to the turn and was not put in.
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
