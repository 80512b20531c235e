from __future__ import annotations

from collections.abc import Callable, Sequence

from symposia.agentchat.messages import ModelClientStreamingChunkEvent
from symposia.agentchat.teams._participant import Item
from symposia.agentchat.teams._result import sum_usage
from symposia.core import CancellationToken
from symposia.core.models import RequestUsage


class Run:
    """One run of a team, as it goes.

    Args:
        cancellation_token: Cancels the run, and is handed to whoever works for it.
        watch: Takes what happens, in order, a batch at a time; None if only the result is wanted.

    Attributes:
        messages: What happened and belongs to the result: all but streamed chunks.
        silent_usage: The tokens that stand in no message.
    """

    __slots__ = ("_watch", "cancellation_token", "messages", "silent_usage")

    def __init__(
        self, cancellation_token: CancellationToken | None, watch: Callable[[Sequence[Item]], None] | None = None
    ) -> None:
        self._watch = watch
        self.cancellation_token = cancellation_token
        self.messages: list[Item] = []
        self.silent_usage = RequestUsage(prompt_tokens=0, completion_tokens=0)

    def happened(self, items: Sequence[Item]) -> list[Item]:
        """Show `items` to whoever watches, and keep those that belong to the result.

        Returns:
            Those kept.
        """
        if self._watch is not None:
            self._watch(items)
        kept = [item for item in items if not isinstance(item, ModelClientStreamingChunkEvent)]
        self.messages += kept
        return kept

    def count_silently(self, usage: RequestUsage) -> None:
        """Count tokens that stand in no message."""
        self.silent_usage = sum_usage([self.silent_usage, usage])
