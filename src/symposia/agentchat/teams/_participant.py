"""A participant of a team as an actor, and the messages between it and the team.

The team sends `TakeTurn` and gets `TurnTaken`. What happens on the way to the answer goes to the team's listener as
`Happened`: all that gathered during one tick of the event loop as one message, so that streaming costs a message a tick
and not a message a chunk. What is still gathered when the turn ends travels with the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, TypeAlias

from symposia.agentchat._observed import note_response
from symposia.agentchat.base import ChatAgent, Response, TaskResult, Team
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.agentchat.teams._result import TeamResult
from symposia.core import AgentId, BaseAgent, CancellationToken, MessageContext
from symposia.core.exceptions import AgentError, CantHandleException
from symposia.core.models import RequestUsage
from symposia.core.telemetry import Activity, agent_invocation

Item: TypeAlias = BaseAgentEvent | BaseChatMessage


@dataclass(frozen=True, slots=True)
class TakeTurn:
    """Speak, having heard these messages.

    Attributes:
        messages: What was said since the participant's last turn, oldest first.
    """

    messages: Sequence[BaseChatMessage]


@dataclass(frozen=True, slots=True)
class TurnTaken:
    """A turn is over.

    Attributes:
        items: What happened in it and was not sent as `Happened` yet, in order; the answer is in it.
        said: What the other participants are to hear.
        silent_usage: The tokens that the turn took and that stand in no item.
    """

    items: Sequence[Item]
    said: Sequence[BaseChatMessage]
    silent_usage: RequestUsage | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """What a participant did since it last told: streamed chunks, events and inner messages, in order."""

    name: str
    items: Sequence[Item]


class Order(Enum):
    """What a team tells its participants besides to speak."""

    RESET = "reset"
    PAUSE = "pause"
    RESUME = "resume"


class Participant(BaseAgent):
    """An agent or a team that takes turns.

    Handles messages concurrently, since `Order.PAUSE` is for the middle of a turn. The team gives one turn at a time.

    Args:
        member: Who speaks.
        listener: Whom to tell what happens during a turn.
    """

    concurrent: ClassVar[bool] = True

    def __init__(self, member: ChatAgent | Team, listener: AgentId) -> None:
        super().__init__(member.description)
        self._member = member
        self._listener = listener

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> TurnTaken | None:  # Any: a runtime's promise
        """Take a turn, or follow an order."""
        if isinstance(message, TakeTurn):
            return await self._take_turn(message.messages, ctx.cancellation_token)
        if isinstance(message, Order):
            return await self._follow(message)
        raise CantHandleException(f"Participant {self._member.name!r} takes turns and orders, not {type(message)}.")

    async def _take_turn(self, messages: Sequence[BaseChatMessage], token: CancellationToken) -> TurnTaken:
        outbox = _Outbox(self, self._member.name, self._listener)
        try:
            if isinstance(self._member, Team):
                return await _team_turn(self._member, messages, token, outbox)
            activity = agent_invocation(self._member.name, self._member.description, str(self.id))
            with activity, activity.current():
                return await _agent_turn(self._member, messages, token, outbox, activity)
        finally:
            outbox.close()

    async def _follow(self, order: Order) -> None:
        token = CancellationToken()
        match self._member, order:
            case Team() as team, Order.RESET:
                await team.reset()
            case Team() as team, Order.PAUSE:
                await team.pause()
            case Team() as team, Order.RESUME:
                await team.resume()
            case agent, Order.RESET:
                await agent.on_reset(token)
            case agent, Order.PAUSE:
                await agent.on_pause(token)
            case agent, Order.RESUME:
                await agent.on_resume(token)

    async def save_state(self) -> Mapping[str, Any]:
        """The member's own state."""
        return await self._member.save_state()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Give the member its state back."""
        await self._member.load_state(state)


class _Outbox:
    """Gathers what happens during a turn and sends it on once a tick."""

    def __init__(self, sender: Participant, name: str, listener: AgentId) -> None:
        self._sender = sender
        self._name = name
        self._listener = listener
        self._items: list[Item] = []
        self._tick: asyncio.Handle | None = None
        self._sending: asyncio.Task[None] | None = None

    def put(self, item: Item) -> None:
        """Send `item` with the next tick."""
        self._items.append(item)
        if self._tick is None and self._sending is None:
            self._tick = asyncio.get_running_loop().call_soon(self._start_sending)

    async def rest(self) -> list[Item]:
        """Wait until what was sent has arrived, and take what was not sent."""
        if self._sending is not None:
            await self._sending
        rest, self._items = self._items, []
        return rest

    def close(self) -> None:
        """Send nothing any more."""
        if self._tick is not None:
            self._tick.cancel()
        if self._sending is not None:
            self._sending.cancel()

    def _start_sending(self) -> None:
        self._tick = None
        self._sending = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        while self._items:
            items, self._items = self._items, []
            await self._sender.send_message(Happened(self._name, items), self._listener)
        self._sending = None


async def _agent_turn(
    agent: ChatAgent,
    messages: Sequence[BaseChatMessage],
    token: CancellationToken,
    outbox: _Outbox,
    activity: Activity,
) -> TurnTaken:
    shown: set[str] = set()
    async with aclosing(agent.on_messages_stream(messages, token)) as stream:
        async for item in stream:
            if isinstance(item, Response):
                note_response(activity, item)
                inner = [each for each in item.inner_messages or () if each.id not in shown]
                answer = item.chat_message
                return TurnTaken([*await outbox.rest(), *inner, answer], [answer])
            shown.add(item.id)
            outbox.put(item)
    raise AgentError(f"Agent {agent.name!r} gave no answer: on_messages_stream has to yield a Response last.")


async def _team_turn(
    team: Team, messages: Sequence[BaseChatMessage], token: CancellationToken, outbox: _Outbox
) -> TurnTaken:
    stream = team.run_stream(task=messages or None, cancellation_token=token, output_task_messages=False)
    async with aclosing(stream):
        async for item in stream:
            if isinstance(item, TaskResult):
                said = [message for message in item.messages if isinstance(message, BaseChatMessage)]
                silent = item.silent_usage if isinstance(item, TeamResult) else None
                return TurnTaken(await outbox.rest(), said, silent)
            outbox.put(item)
    raise AgentError(f"Team {team.name!r} gave no result: run_stream has to yield a TaskResult last.")
