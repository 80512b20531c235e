from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from typing_extensions import override

from symposia.agentchat.base import ChatAgent, Team
from symposia.agentchat.messages import BaseChatMessage
from symposia.agentchat.teams._participant import Happened, Order, Participant, TakeTurn, TurnTaken
from symposia.core import (
    AgentId,
    AgentRuntime,
    BaseAgent,
    CancellationToken,
    MessageContext,
    SingleThreadedAgentRuntime,
)
from symposia.core.exceptions import CantHandleException


class Cast:
    """The participants of a team as actors in a runtime: the given one, or an embedded one of the team's own.

    Everything goes through the exported names of `AgentRuntime`, so any runtime will do.

    Args:
        members: Who takes part.
        team: The team's unique id, a part of every actor's id.
        runtime: Where the actors live; None for an embedded runtime that is started and stopped with `playing`.

    Attributes:
        on_happened: Told what happens during turns.
    """

    def __init__(
        self,
        members: Sequence[ChatAgent | Team],
        *,
        team: str,
        runtime: AgentRuntime | None,
    ) -> None:
        self._members = members
        self._listener = AgentId(f"listener_{team}", team)
        self._ids = {member.name: AgentId(f"{_as_type(member.name)}_{team}", team) for member in members}
        self._embedded: SingleThreadedAgentRuntime | None = None
        if runtime is None:
            runtime = self._embedded = SingleThreadedAgentRuntime()
        self._runtime: AgentRuntime = runtime
        self.on_happened: Callable[[Happened], None] = _overhear
        self._registered = False
        self._playing = 0

    @asynccontextmanager
    async def playing(self) -> AsyncGenerator[None, None]:
        """Keep the actors reachable inside; may be entered again inside."""
        await self._register()
        if self._embedded is not None and self._playing == 0:
            self._embedded.start()
        self._playing += 1
        try:
            yield
        finally:
            self._playing -= 1
            if self._embedded is not None and self._playing == 0:
                await self._embedded.stop()

    async def take_turn(
        self, name: str, messages: Sequence[BaseChatMessage], token: CancellationToken | None
    ) -> TurnTaken:
        """Let a participant speak.

        Raises:
            Exception: Whatever the participant raised.
        """
        turn: TurnTaken = await self._runtime.send_message(
            TakeTurn(messages), self._ids[name], cancellation_token=token
        )
        return turn

    async def tell_all(self, order: Order) -> None:
        """Have every participant follow an order, one after another."""
        for agent_id in self._ids.values():
            await self._runtime.send_message(order, agent_id)

    async def save(self, name: str) -> Mapping[str, Any]:
        """A participant's own state."""
        await self._register()
        return await self._runtime.agent_save_state(self._ids[name])

    async def load(self, name: str, state: Mapping[str, Any]) -> None:
        """Give a participant its state back."""
        await self._register()
        await self._runtime.agent_load_state(self._ids[name], state)

    async def _register(self) -> None:
        if self._registered:
            return
        self._registered = True
        await self._runtime.register_factory(self._listener.type, partial(_Listener, self))
        for member in self._members:
            make = partial(Participant, member, self._listener)
            await self._runtime.register_factory(self._ids[member.name].type, make)


class _Listener(BaseAgent):
    """The team's own actor: hears what the participants do."""

    def __init__(self, cast: Cast) -> None:
        super().__init__("Hears what the participants of a team do.")
        self._cast = cast

    @override
    async def on_message_impl(self, message: Any, ctx: MessageContext) -> None:  # Any: a runtime's promise
        """Pass it on."""
        if not isinstance(message, Happened):
            raise CantHandleException(f"The listener of a team hears what happens, not {type(message)}.")
        self._cast.on_happened(message)

    async def save_state(self) -> Mapping[str, Any]:
        """Nothing: it only passes on."""
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Nothing to load."""


def _overhear(happened: Happened) -> None:
    """Nobody wants to know."""


def _as_type(name: str) -> str:
    """The name in the characters that an agent type may have."""
    return re.sub(r"[^\w\-.]", "_", name)
