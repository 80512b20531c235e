from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage
from symposia.presets.coding import CodingResult


@dataclass(frozen=True, kw_only=True, slots=True)
class Beginning:
    """What is known before anybody speaks.

    Attributes:
        title: The task in one line.
        models: The names of the models by agent.
        recorded: Whether their words are recorded.
        sandbox: The kind of sandbox.
        data: The data files.
        folder: Where the results go.
    """

    title: str
    models: dict[str, str]
    recorded: bool
    sandbox: str
    data: tuple[Path, ...]
    folder: Path

    def sandbox_line(self) -> str:
        """The sandbox, with a warning where it is none."""
        return "local: this machine, with no protection" if self.sandbox == "local" else self.sandbox

    def models_line(self) -> str:
        """The models, once where they are all the same."""
        if len(set(self.models.values())) == 1:
            return next(iter(self.models.values()))
        return ", ".join(f"{agent} {model}" for agent, model in self.models.items())


RECORDED_NOTE = "The models' words are recorded. The code really runs, and its output is real."


TASK_SOURCE = "user"
"""Who the message with the task comes from, which is shown as the title."""


class View(Protocol):
    """Shows a run to the person who started it. Used as a context manager around everything that is shown."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def note(self, text: str) -> None:
        """Say something on the way to the beginning: that a sandbox is being set up."""
        ...

    def begin(self, beginning: Beginning) -> None:
        """Say what is about to run."""
        ...

    def show(self, message: BaseAgentEvent | BaseChatMessage) -> None:
        """Show one message, event or piece of a stream, as it comes."""
        ...

    def end(self, result: CodingResult) -> None:
        """Show the answer, how it ended and where everything is."""
        ...
