"""Messages and one-function agents, for tests of runtimes."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from symposia.core import AgentId, AgentRuntime, ClosureAgent, ClosureContext, MessageContext, TypeSubscription

WAIT = 10.0
"""Seconds after which a test that waits has failed."""


class StartedRuntime(AgentRuntime, Protocol):
    """A runtime with the life that the contract speaks of."""

    def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def stop_when_idle(self) -> None: ...
    async def close(self) -> None: ...


MakeRuntime = Callable[..., StartedRuntime]
Handle = Callable[[ClosureContext, Any, MessageContext], Awaitable[Any]]


@dataclass(frozen=True)
class Ask:
    """A message that says something."""

    text: str = ""


@dataclass(frozen=True)
class Answer:
    text: str


async def add_agent(runtime: AgentRuntime, name: str, handle: Handle, *topics: str) -> AgentId:
    """Register an agent of one function, subscribed to some topics. Returns the id with the key ``k``."""

    async def closure(agent: ClosureContext, message: Any, ctx: MessageContext) -> Any:
        return await handle(agent, message, ctx)

    await ClosureAgent.register_closure(
        runtime, name, closure, subscriptions=lambda: [TypeSubscription(topic, name) for topic in topics]
    )
    return AgentId(name, "k")


async def answer(_agent: ClosureContext, message: Any, _ctx: MessageContext) -> Answer:
    """A handler that answers with the text that it was sent."""
    return Answer(message.text)


class Door:
    """A handler that stays in its message until it is opened, and records how that ended."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.entries = 0

    async def __call__(self, _agent: ClosureContext, message: Any, _ctx: MessageContext) -> Answer:
        self.entries += 1
        self.entered.set()
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return Answer(message.text)


async def let_others_run() -> None:
    """Wait until every task that can run has run as far as it can. (A simulation may let each wait some steps.)"""
    for _ in range(100):
        await asyncio.sleep(0)


@asynccontextmanager
async def started(runtime: StartedRuntime) -> AsyncGenerator[StartedRuntime]:
    """The runtime, started, and closed in the end."""
    runtime.start()
    try:
        async with asyncio.timeout(WAIT):
            yield runtime
    finally:
        await runtime.close()
