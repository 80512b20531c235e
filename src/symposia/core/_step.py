"""The one door that every effect of an agent passes.

An effect is what cannot be computed again from the conversation: a model call, a tool call, a code execution, a human
answer. Agents never await one directly; they say `step`, which is a direct call until a `StepDoor` is opened. A journal
is a `StepDoor`: it records results under (agent, that agent's step number, hash of the request) and, on resuming, gives
back what was recorded instead of doing it again. The door lives here, so that nothing above core needs to know of it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

StepKind = Literal["model", "tool", "code", "human"]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One effect about to happen.

    Attributes:
        kind: What sort of effect it is.
        agent: The name of the agent on whose behalf it happens, unique within a run.
        request: Everything that decides the outcome, as a value that can be serialised and hashed.
    """

    kind: StepKind
    agent: str
    request: object


class StepDoor(Protocol):
    """What stands at the door: it may record the outcome of `call`, or answer without calling it."""

    async def step(self, step: Step, call: Callable[[], Awaitable[T]]) -> T:
        """Do one effect that gives one result."""
        ...

    def stream(self, step: Step, call: Callable[[], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        """Do one effect that gives its result in pieces, of which the last is the whole."""
        ...


_door: ContextVar[StepDoor | None] = ContextVar("symposia_step_door", default=None)


@contextmanager
def open_door(door: StepDoor) -> Generator[None]:
    """Send every effect that starts inside this context through `door`."""
    token = _door.set(door)
    try:
        yield
    finally:
        _door.reset(token)


async def step(kind: StepKind, agent: str, request: object, call: Callable[[], Awaitable[T]]) -> T:
    """Do one effect: directly, or through the open door."""
    door = _door.get()
    if door is None:
        return await call()
    return await door.step(Step(kind=kind, agent=agent, request=request), call)


def step_stream(
    kind: StepKind, agent: str, request: object, call: Callable[[], AsyncGenerator[T, None]]
) -> AsyncGenerator[T, None]:
    """Do one effect whose result arrives in pieces: directly, or through the open door."""
    door = _door.get()
    if door is None:
        return call()
    return door.stream(Step(kind=kind, agent=agent, request=request), call)
