from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from pydantic import Field

from symposia.agentchat.base import TaskResult
from symposia.agentchat.messages import BaseAgentEvent, ModelClientStreamingChunkEvent
from symposia.agentchat.teams._messages import Item
from symposia.core import CancellationToken
from symposia.core.effects import enter_scope
from symposia.core.models import RequestUsage

_NO_SCOPE: Final = nullcontext()


class TeamResult(TaskResult):
    """How a team's run ended, and all the tokens that it took.

    Attributes:
        silent_usage: Tokens that stand in no message: those of choosing the speakers, here and in nested teams, unless
            the team emits its own events, which carry them.
    """

    silent_usage: RequestUsage = Field(RequestUsage(prompt_tokens=0, completion_tokens=0), repr=False)

    @property
    def usage(self) -> RequestUsage:
        """Every token of the run: those of its messages and the silent ones."""
        counted = [message.models_usage for message in self.messages if message.models_usage is not None]
        return sum(counted, self.silent_usage)


class Run:
    """One run of a team: what it streams, and what its result will hold.

    Args:
        cancellation_token: Cancels the run, and is handed to the participants.
        stream: Takes messages, events and chunks as they come, a batch at a time; None if only the result is wanted.

    Attributes:
        is_scoped: Whether scopes of effects are tracked.
        messages: The messages and events of the result: all but streamed chunks.
        silent_usage: The tokens that stand in no message.
    """

    __slots__ = ("_stream", "cancellation_token", "is_scoped", "messages", "silent_usage")

    def __init__(
        self, cancellation_token: CancellationToken | None, stream: Callable[[Sequence[Item]], None] | None = None
    ) -> None:
        self.is_scoped = False
        self._stream = stream
        self.cancellation_token = cancellation_token
        self.messages: list[Item] = []
        self.silent_usage = RequestUsage(prompt_tokens=0, completion_tokens=0)

    def scope(self, kind: str, name: object = None) -> AbstractContextManager[None]:
        """Enter a scope of effects inside that of the team. Where none is tracked, no text is made for it."""
        if not self.is_scoped:
            return _NO_SCOPE
        return enter_scope(kind if name is None else f"{kind}:{name}")

    def show(self, items: Sequence[Item]) -> list[Item]:
        """Stream `items`.

        Returns:
            Those that are no chunks.
        """
        if self._stream is not None:
            self._stream(items)
        return [item for item in items if not isinstance(item, ModelClientStreamingChunkEvent)]

    def emit(self, event: BaseAgentEvent) -> None:
        """Stream an event of the team's own, and keep it for the result."""
        self.messages += self.show([event])

    def count(self, usage: RequestUsage | None) -> None:
        """Count tokens that stand in no message."""
        if usage is not None:
            self.silent_usage = self.silent_usage + usage

    def result(self, stop_reason: str) -> TeamResult:
        """The result of the run, which ended for `stop_reason`."""
        return TeamResult(messages=self.messages, stop_reason=stop_reason, silent_usage=self.silent_usage)
