"""Eviction: agents that have been idle for too long, or are too many, are saved and closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import cast

from symposia.core._agent_runtime import Agent
from symposia.core._base_agent import BaseAgent
from symposia.core._runtime._mailbox import Mailbox
from symposia.core.runtimes import without_self_cancellation


class Eviction:
    """Decides which agents have been idle for too long, or are too many.

    An agent is evicted between two messages: its state is saved, it is forgotten and closed. Its next message makes a
    new one, which is given the state. Only agents that a factory makes and whose class saves its state can come back
    the same, so no others are evicted; nor are those that handle several messages at once, which are never seen idle.

    Args:
        max_idle_agents: How many idle agents may be kept; None for any number.
        max_idle_seconds: For how long an idle agent may be kept; None for any time.
        maintain: Does something with an agent that is free, in a turn of its own: see `Activation.maintain`.
    """

    def __init__(
        self,
        max_idle_agents: int | None,
        max_idle_seconds: float | None,
        maintain: Callable[[Mailbox, Callable[[], Coroutine[object, None, None]]], None],
    ) -> None:
        self._max_agents = max_idle_agents
        self._max_seconds = max_idle_seconds
        self._maintain = maintain
        self._idle_since: dict[Mailbox, float] = {}  # the longest idle first
        self._timer: asyncio.TimerHandle | None = None
        self._has_ended = False

    def note_idle(self, mailbox: Mailbox) -> None:
        """Count an agent as idle from now on, and evict those that are too many."""
        if self._has_ended or not _comes_back_the_same(mailbox):
            return
        self._idle_since.pop(mailbox, None)
        self._idle_since[mailbox] = asyncio.get_running_loop().time()
        while self._max_agents is not None and len(self._idle_since) > self._max_agents:
            self._evict(next(iter(self._idle_since)))
        self._set_timer()

    def stop(self) -> None:
        """Evict no agent until the next message is handled."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def end(self) -> None:
        """Evict no agent any more: the runtime is closed, and closes its agents itself."""
        self.stop()
        self._has_ended = True

    def _evict(self, mailbox: Mailbox) -> None:
        del self._idle_since[mailbox]
        if mailbox.is_free:  # else it is busy again, and will be noted when it is done
            self._maintain(mailbox, partial(self._save_and_close, mailbox))

    async def _save_and_close(self, mailbox: Mailbox) -> None:
        """Evict an agent. Interrupted, it is kept if its state was not saved yet, and gone if it was."""
        if self._has_ended:
            return
        agent = cast("Agent", mailbox.agent)
        state = await without_self_cancellation(agent.save_state(), f"save_state() of agent {mailbox.id}")
        mailbox.evict(state)
        await without_self_cancellation(agent.close(), f"close() of agent {mailbox.id}")

    def _set_timer(self) -> None:
        if self._max_seconds is not None and self._timer is None and self._idle_since:
            due = next(iter(self._idle_since.values())) + self._max_seconds
            self._timer = asyncio.get_running_loop().call_at(due, self._evict_overdue)

    def _evict_overdue(self) -> None:
        self._timer = None
        overdue_since = asyncio.get_running_loop().time() - cast("float", self._max_seconds)
        while self._idle_since:
            mailbox, since = next(iter(self._idle_since.items()))
            if since > overdue_since:
                break
            self._evict(mailbox)
        self._set_timer()


def _comes_back_the_same(mailbox: Mailbox) -> bool:
    if mailbox.agent is None or mailbox.concurrent or mailbox.kind.factory is None:
        return False
    return getattr(type(mailbox.agent), "save_state", None) is not BaseAgent.save_state
