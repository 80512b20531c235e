"""Following the executor's turn as it goes, so that a program that the run does not outlive is not lost."""

from __future__ import annotations

from typing import TypeVar

from symposia.core.code_executor import OutputStream
from symposia.presets.coding._messages import (
    BlockEndedEvent,
    BlockRun,
    BlockStartedEvent,
    ExecutionMessage,
    OutputChunkEvent,
)

KILLED = 137
"""The exit status of what was killed, as a shell reports it."""


Event = TypeVar("Event", BlockStartedEvent, OutputChunkEvent, BlockEndedEvent)


class ExecutionInProgress:
    """What is known of a turn of the executor until its message is in the transcript.

    The executor notes each event here as it makes it. Reading them off the team's stream was tried and rejected: what
    is still on its way there when a run is interrupted is lost.
    """

    def __init__(self) -> None:
        self._source = ""
        self._ended: list[BlockRun] = []
        self._running: BlockStartedEvent | None = None
        self._output: dict[OutputStream, list[str]] = {}

    def noted(self, event: Event) -> Event:
        """Take note of an event, and give it back."""
        match event:
            case BlockStartedEvent():
                self._source, self._running = event.source, event
                self._output = {"stdout": [], "stderr": []}
            case OutputChunkEvent():
                self._output[event.stream].append(event.content)
            case BlockEndedEvent():
                self._ended.append(event.run)
                self._running = None
        return event

    def clear(self) -> None:
        """Forget the turn: its message is in the transcript."""
        self._ended, self._running = [], None

    def unfinished(self, reason: str) -> ExecutionMessage | None:
        """The message that the executor could not give any more; None if nothing is open.

        Args:
            reason: Why the block that runs could not run to its end.
        """
        if not self._ended and self._running is None:
            return None
        runs = tuple(self._ended)
        if self._running is not None:
            runs += (
                BlockRun(
                    code=self._running.code,
                    language=self._running.language,
                    status="cancelled",
                    exit_code=KILLED,
                    stdout="".join(self._output["stdout"]),
                    stderr="".join(self._output["stderr"]),
                    interrupted=reason,
                ),
            )
        return ExecutionMessage(runs=runs, source=self._source)
