"""The bundled debates, which run on recorded models. Each is a TOML file with the question and the replies."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from symposia.agentchat.teams import Position
from symposia.core.exceptions import InvalidArgumentError
from symposia.presets._models import NamedModel
from symposia.presets._recorded import RecordedReply, recorded_model
from symposia.presets.debate._run import DebateLimits
from symposia.presets.debate._task import DebateTask

FOLDER: Final = Path(__file__).parent / "bundled"


class BundledDebateName(StrEnum):
    """The bundled debates, as ``--example`` takes them."""

    INGESTION = "ingestion"
    DATABASE = "database"


class _PositionEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    text: str
    open: bool = False


class _DebateFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    question: str
    rounds: int
    quorum: float | None = None
    position: tuple[_PositionEntry, ...]
    reply: tuple[RecordedReply, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BundledDebate:
    """A debate that comes with a recording.

    Attributes:
        title: A few words.
        limits: Those that it was recorded with.
    """

    name: BundledDebateName
    title: str
    task: DebateTask
    limits: DebateLimits
    replies: tuple[RecordedReply, ...]

    def models(self, *, pace: float = 0.0) -> dict[str, NamedModel]:
        """The recorded models by agent, from the first reply on.

        Args:
            pace: Seconds between the words of a streamed reply.
        """
        return {agent: recorded_model(self.replies, agent, pace=pace) for agent in self.task.agents}


def bundled_debate(name: str) -> BundledDebate:
    """Read a bundled debate from its file.

    Raises:
        InvalidArgumentError: There is none of this name.
    """
    if name not in set(BundledDebateName):
        raise InvalidArgumentError(f"There is no bundled debate {name!r}. There are: {', '.join(BundledDebateName)}")
    read = _DebateFile.model_validate(tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")))
    task = DebateTask(
        question=read.question.strip(),
        positions=tuple(Position(each.name, each.text) for each in read.position if not each.open),
        open_positions=tuple(Position(each.name, each.text) for each in read.position if each.open),
    )
    limits = DebateLimits(rounds=read.rounds, quorum=read.quorum)
    return BundledDebate(name=BundledDebateName(name), title=read.title, task=task, limits=limits, replies=read.reply)
