"""The bundled tasks, which run on recorded models.

A bundled task is a folder with the data and a ``task.toml``, which holds the task and the recorded replies.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.code_executors import AUTO, sandbox_kind
from symposia.presets._recorded import RecordedReply, recorded_model
from symposia.presets.coding._models import SwarmModels
from symposia.presets.coding._task import DATA_FOLDER, CodingTask, seen_at

FOLDER: Final = Path(__file__).parent / "bundled"


class BundledName(StrEnum):
    """The bundled tasks, as ``--task`` takes them."""

    SALES = "sales"
    PRODUCTS = "products"
    SORTING = "sorting"


class _TaskFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    text: str
    data: tuple[str, ...]
    reply: tuple[RecordedReply, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BundledTask:
    """A task that comes with its data and with a recording of models that solve it.

    Attributes:
        title: A few words.
    """

    name: BundledName
    title: str
    task: CodingTask
    replies: tuple[RecordedReply, ...]

    def models(self, *, sandbox: str, pace: float = 0.0) -> SwarmModels:
        """The recorded models, from the first reply on.

        Args:
            sandbox: Where the code will run: the name of a registered backend, or ``auto``. Without a sandbox, code
                finds its data elsewhere than it was recorded for.
            pace: Seconds between the pieces of a streamed reply.

        Raises:
            InvalidArgumentError: There is no sandbox of this name.
        """
        if sandbox != AUTO:
            sandbox_kind(sandbox)

        replies = [self._relocated(reply, sandbox) for reply in self.replies]
        return SwarmModels(
            planner=recorded_model(replies, "planner", pace=pace),
            coder=recorded_model(replies, "coder", pace=pace),
            reviewer=recorded_model(replies, "reviewer", pace=pace),
        )

    def _relocated(self, reply: RecordedReply, sandbox: str) -> RecordedReply:
        places = [(f"{DATA_FOLDER}/{path.name}", seen_at(sandbox, path)) for path in self.task.data]

        def relocated(text: str) -> str:
            for recorded, real in places:
                text = text.replace(recorded, real)
            return text

        expects = tuple(relocated(text) for text in reply.expects)
        return RecordedReply(agent=reply.agent, expects=expects, content=relocated(reply.content))


def bundled_task(name: str) -> BundledTask:
    """Read a bundled task from its file.

    Raises:
        InvalidArgumentError: There is none of this name.
    """
    if name not in set(BundledName):
        raise InvalidArgumentError(f"There is no bundled task {name!r}. There are: {', '.join(BundledName)}")
    folder = FOLDER / name
    read = _TaskFile.model_validate(tomllib.loads((folder / "task.toml").read_text(encoding="utf-8")))
    task = CodingTask(text=read.text.strip(), data=tuple(folder / file for file in read.data))
    return BundledTask(name=BundledName(name), title=read.title, task=task, replies=read.reply)
