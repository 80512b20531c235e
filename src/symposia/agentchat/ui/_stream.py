"""The common part of consoles: the items of a stream go to a printer, and their tokens are counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import replace
from typing import Protocol, TextIO, TypeAlias, TypeVar, cast

from symposia.agentchat._prices import check_price, check_prices
from symposia.agentchat.base import Response, TaskResult
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    Item,
    ModelClientStreamingChunkEvent,
    UserInputRequestedEvent,
)
from symposia.agentchat.ui._user_input_manager import UserInputManager
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import RequestUsage, TokenPrice
from symposia.core.terminal_text import replace_unencodable

T = TypeVar("T", bound=TaskResult | Response)
Prices: TypeAlias = TokenPrice | Mapping[str, TokenPrice]
"""The price of the tokens of all agents, or those of each agent by its name."""


class StreamPrinter(Protocol):
    """Shows the items of a stream, one after another."""

    def show(self, item: BaseAgentEvent | BaseChatMessage) -> None:
        """Show a message, an event or a piece of a message that streams in."""
        ...

    def end(self, result: TaskResult | Response) -> None:
        """Show the result."""
        ...


async def print_stream(
    stream: AsyncIterable[BaseAgentEvent | BaseChatMessage | T],
    printer: StreamPrinter,
    user_input_manager: UserInputManager | None = None,
) -> T:
    """Pass the items of a stream to a printer, and return the last `TaskResult` or `Response`. The stream is closed.

    Args:
        stream: The stream of `run_stream` of a team or an agent, or of `on_messages_stream` of an agent.
        printer: Shows the items.
        user_input_manager: Notified when the request for a person's input is reached.

    Raises:
        ArgumentTypeError: `stream` is no asynchronous iterable, or `user_input_manager` no manager.
        InvalidArgumentError: `stream` ended without a `TaskResult` or a `Response`.
    """
    _check_stream(stream)
    _check_manager(user_input_manager)
    last: T | None = None
    closing: AbstractAsyncContextManager[object] = nullcontext()
    if hasattr(stream, "aclose"):  # any asynchronous iterable will do, and generators are closed
        closing = aclosing(cast("AsyncGenerator[object, None]", stream))
    async with closing:
        async for item in stream:
            if isinstance(item, UserInputRequestedEvent):
                if user_input_manager is not None:
                    user_input_manager.notify_event_received(item.request_id)
            elif isinstance(item, TaskResult | Response):
                last = cast("T", item)
                printer.end(item)
            else:
                printer.show(item)
    if last is None:
        raise InvalidArgumentError("No TaskResult or Response was processed.")
    return last


def _check_stream(given: object) -> None:
    if hasattr(given, "__aiter__"):
        return
    if asyncio.iscoroutine(given):  # such as that of `run`; closed, since it will not be awaited
        given.close()
    raise ArgumentTypeError(f"Console takes a stream, as of team.run_stream(task=…), not {given!r}")


def _check_manager(given: object) -> None:
    if given is not None and not hasattr(given, "notify_event_received"):
        raise ArgumentTypeError(
            f"user_input_manager has to be a UserInputManager, such as UserInputManager(input), not {given!r}"
        )


def write_text(file: TextIO, text: str) -> None:
    """Write a text to a terminal or a file, with ``?`` for what its encoding lacks."""
    try:
        file.write(text)
    except UnicodeEncodeError:  # raised before anything is written
        file.write(replace_unencodable(text, file.encoding or "ascii"))


class StreamedMessage:
    """The message whose chunks a printer is writing, so that the whole message is not written once more."""

    def __init__(self) -> None:
        self._latest: ModelClientStreamingChunkEvent | None = None

    def has(self, chunk: ModelClientStreamingChunkEvent) -> bool:
        """Whether a chunk belongs to this message. Those of another speaker may come in between."""
        latest = self._latest
        return latest is not None and (latest.source, latest.full_message_id) == (chunk.source, chunk.full_message_id)

    def add(self, chunk: ModelClientStreamingChunkEvent) -> None:
        """Note that a chunk is written."""
        self._latest = chunk

    def is_whole(self, item: BaseAgentEvent | BaseChatMessage) -> bool:
        """Whether an item is this message as a whole. The chunks of some clients do not name their message."""
        if self._latest is None:
            return False
        if self._latest.full_message_id is not None:
            return self._latest.full_message_id == item.id
        return isinstance(item, BaseChatMessage) and self._latest.source == item.source

    def end(self) -> bool:
        """End the message. Returns whether there was one, whose line has to be ended."""
        latest, self._latest = self._latest, None
        return latest is not None


class StreamTotals:
    """The totals of a stream: turns, tokens, money and time.

    Args:
        prices: The prices of tokens, in place of those that their usage has.

    Raises:
        ArgumentTypeError: `prices` is neither a price nor prices by the names of agents.
        InvalidArgumentError: A price is no amount of money.

    Attributes:
        usage: The tokens.
        turns: The answers of agents. The messages of the task, with which the stream begins, are none.
    """

    def __init__(self, prices: Prices | None = None) -> None:
        if isinstance(prices, TokenPrice):
            check_price(prices)
        else:
            check_prices(prices, "agents")
        self.usage = RequestUsage(prompt_tokens=0, completion_tokens=0)
        self.turns = 0
        self._is_task = True
        self._prices = prices
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the totals were made."""
        return time.monotonic() - self._started

    def count(self, item: Item) -> None:
        """Count an item."""
        self._is_task = self._is_task and isinstance(item, BaseChatMessage) and item.source == "user"
        self.turns += not self._is_task and isinstance(item, BaseChatMessage)
        if item.models_usage is not None:
            self.add(item.models_usage, item.source)

    def add(self, usage: RequestUsage, source: str | None = None) -> None:
        """Add tokens, of the agent `source` if it is given."""
        price = self._prices if isinstance(self._prices, TokenPrice) else (self._prices or {}).get(source or "")
        if price is not None:
            usage = replace(usage, usd=price.cost_of(usage), parts=())
        self.usage += usage

    def line(self) -> str:
        """The totals in one line: turns, tokens, money and time."""
        cached = f" ({self.usage.cached_tokens:,} from a cache)" if self.usage.cached_tokens else ""
        parts = [f"{self.turns} turn{'' if self.turns == 1 else 's'}", f"{self.usage.total_tokens:,} tokens{cached}"]
        return " · ".join([*parts, *self._money(), f"{self.elapsed:.1f} s"])

    def _money(self) -> list[str]:
        """The money, unless there is none to tell, as of scripted models."""
        is_told = self.usage.usd or self.usage.unpriced_tokens or (self._prices and self.usage.usd is not None)
        return [self.usage.money] if is_told else []
