"""The bundled task, which runs on a recorded model: a TOML file with the task and the replies."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from symposia.presets._models import NamedModel
from symposia.presets._recorded import RECORDED, RecordedChatCompletionClient, RecordedReply
from symposia.presets.magentic._run import MagenticTask

FOLDER: Final = Path(__file__).parent / "bundled"
RECORDED_NOTE: Final = "The model's answers are recorded. The file is really read, and the code really runs."


class _TaskFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    task: str
    data: tuple[str, ...]
    reply: tuple[RecordedReply, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BundledMagenticTask:
    """A task that comes with a recording.

    Attributes:
        title: A few words.
        replies: The answers of the model, which is asked by one agent after another.
    """

    title: str
    task: MagenticTask
    replies: tuple[RecordedReply, ...]

    def model(self) -> NamedModel:
        """The recorded model of all agents, from the first reply on."""
        return NamedModel(name=RECORDED, client=RecordedChatCompletionClient(self.replies), recorded=True)


def bundled_magentic_task() -> BundledMagenticTask:
    """Read the bundled task from its file."""
    read = _TaskFile.model_validate(tomllib.loads((FOLDER / "expenses.toml").read_text(encoding="utf-8")))
    task = MagenticTask(text=read.task, data=tuple(FOLDER / name for name in read.data))
    return BundledMagenticTask(title=read.title, task=task, replies=read.reply)
