"""Following the executor's turn as it goes, so that a program that the run does not outlive is not lost."""

from __future__ import annotations

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
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


class ExecutionInProgress:
    """What is known of a turn of the executor until its message is there."""

    def __init__(self) -> None:
        self._source = ""
        self._ended: list[BlockRun] = []
        self._running: BlockStartedEvent | None = None
        self._output: dict[OutputStream, list[str]] = {}

    def follow(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        """Take note of a message of the conversation."""
        match message:
            case BlockStartedEvent():
                self._source, self._running = message.source, message
                self._output = {"stdout": [], "stderr": []}
            case OutputChunkEvent() if self._running:
                self._output[message.stream].append(message.content)
            case BlockEndedEvent():
                self._ended.append(message.run)
                self._running = None
            case ExecutionMessage():
                self.__init__()
            case _:
                pass

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
