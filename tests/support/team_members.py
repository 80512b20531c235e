"""Participants of teams in tests: what they do in each turn is said when they are made."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

from tests.support.agents import StartedRuntime

from symposia.agentchat.agents import BaseChatAgent
from symposia.agentchat.base import Response, TaskResult
from symposia.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    TextMessage,
)
from symposia.agentchat.teams import Decision, RoundRobinGroupChat, RuleContext, Transcript
from symposia.core import AgentRuntime, CancellationToken, SingleThreadedAgentRuntime
from symposia.testing import SerializingRuntime

Item: TypeAlias = BaseAgentEvent | BaseChatMessage
Turn: TypeAlias = str | BaseChatMessage | Sequence[Item] | Exception | asyncio.Event
"""What a member does: says a text or a message, does several things of which the last is its answer, fails, or waits
for an event and then says "waited"."""


class Member(BaseChatAgent):
    """Takes its turns as told, the last of them over and over.

    Attributes:
        heard: What it was given in each turn, as "source: text".
        orders: What it was told besides.
        speaking: Set while it takes a turn.
    """

    def __init__(self, name: str, *turns: Turn, description: str = "A member.") -> None:
        super().__init__(name, description)
        self._turns = list(turns) or ["hello"]
        self.heard: list[list[str]] = []
        self.orders: list[str] = []
        self.speaking = asyncio.Event()

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage, HandoffMessage)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        *_, response = [item async for item in self.on_messages_stream(messages, cancellation_token)]
        assert isinstance(response, Response)
        return response

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        self.heard.append([f"{message.source}: {message.to_text()}" for message in messages])
        self.speaking.set()
        turn = self._turns.pop(0) if len(self._turns) > 1 else self._turns[0]
        try:
            if isinstance(turn, asyncio.Event):
                await turn.wait()
            for item in self._items(turn):
                yield item
        finally:
            self.speaking.clear()

    def _items(self, turn: Turn) -> list[Item | Response]:
        match turn:
            case Exception():
                raise turn
            case asyncio.Event():
                return [self._says("waited")]
            case str():
                return [self._says(turn)]
            case BaseChatMessage():
                return [Response(chat_message=turn)]
            case _:
                *before, answer = turn
                assert isinstance(answer, BaseChatMessage)
                return [*before, Response(chat_message=answer)]

    def _says(self, text: str) -> Response:
        return Response(chat_message=TextMessage(content=text, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        self.orders.append("reset")

    async def on_pause(self, cancellation_token: CancellationToken) -> None:
        self.orders.append("pause")

    async def on_resume(self, cancellation_token: CancellationToken) -> None:
        self.orders.append("resume")


def lines(items: Transcript) -> list[str]:
    """Messages as "source: text"."""
    return [f"{item.source}: {item.to_text()}" for item in items]


def ran(result: TaskResult) -> tuple[list[str], str | None]:
    """A result, for comparing."""
    return lines(result.messages), result.stop_reason


def handoff(source: str, target: str) -> HandoffMessage:
    """`source` hands over to `target`."""
    return HandoffMessage(content=f"over to {target}", source=source, target=target)


class Script:
    """A rule that decides as it is told."""

    def __init__(self, *decisions: Decision) -> None:
        self._decisions = decisions
        self._next = 0
        self.saw: list[list[str]] = []

    async def decide(self, transcript: Transcript, _context: RuleContext, /) -> Decision:
        self.saw.append(lines(transcript))
        self._next += 1
        return self._decisions[self._next - 1]

    def save_state(self) -> Mapping[str, Any]:
        return {"next": self._next}

    def load_state(self, state: Mapping[str, Any], /) -> None:
        self._next = state["next"]

    def reset(self) -> None:
        self._next = 0


@asynccontextmanager
async def _started(runtime: StartedRuntime) -> AsyncGenerator[AgentRuntime]:
    runtime.start()
    try:
        yield runtime
    finally:
        await runtime.stop_when_idle()


@asynccontextmanager
async def _own() -> AsyncGenerator[None]:
    yield None


RUNTIMES: dict[str, Callable[[], AbstractAsyncContextManager[AgentRuntime | None]]] = {
    "the team's own": _own,
    "embedded": lambda: _started(SingleThreadedAgentRuntime()),
    "serializing": lambda: _started(SerializingRuntime()),
}
"""Where teams are tested. Another runtime is another line: something that is started when entered."""

IN_MEMORY = [name for name in RUNTIMES if name != "serializing"]
"""Those that hand objects on: what was written to bytes and read back is equal, and never the same object."""


def pair(**options: Any) -> RoundRobinGroupChat:  # Any: the options of the team
    """A team of ann and bob, who say "hello"."""
    return RoundRobinGroupChat([Member("ann"), Member("bob")], **options)
