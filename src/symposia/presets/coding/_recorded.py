"""Recorded models, and the bundled tasks that run on them.

A bundled task is a folder with the data and a ``task.toml``, which holds the task and the recorded replies.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Unpack

from pydantic import BaseModel, ConfigDict

from symposia.core.exceptions import InvalidArgumentError, ModelError
from symposia.core.models import AssistantMessage, CreateOptions, CreateResult, LLMMessage, ModelInfo, UserMessage
from symposia.ext.code_executors import AUTO, sandbox_kind
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.presets.coding._models import NamedModel, SwarmModels
from symposia.presets.coding._task import DATA_FOLDER, CodingTask, seen_at

FOLDER: Final = Path(__file__).parent / "bundled"
RECORDED: Final = "recorded"
ABILITIES: Final = ModelInfo(
    vision=False, function_calling=False, json_output=True, family="unknown", structured_output=True
)


class RecordingError(ModelError):
    """A recorded model received a request that it was not recorded for."""


class RecordedReply(BaseModel):
    """One answer of a recorded model.

    Attributes:
        agent: Whose model it is.
        expects: Texts that the messages to the agent since its last answer contain wherever this reply fits.
        content: The answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    agent: str
    expects: tuple[str, ...] = ()
    content: str


class RecordedChatCompletionClient(ReplayChatCompletionClient):
    """Gives recorded replies in order, each only where it fits; else `RecordingError`. It counts words for tokens.

    Args:
        replies: The answers of the model, in order.
        pace: Seconds between the words of a streamed reply.
    """

    def __init__(self, replies: Sequence[RecordedReply], *, pace: float = 0.0) -> None:
        super().__init__(_Recording(replies).reply_to, ABILITIES)
        self._pace = pace

    async def create_stream(
        self, messages: Sequence[LLMMessage], **options: Unpack[CreateOptions]
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Give the next reply word by word, at the pace."""
        async for piece in super().create_stream(messages, **options):
            yield piece
            await asyncio.sleep(self._pace)


class _Recording:
    """Returns replies, and checks each request against the expectations of its reply."""

    def __init__(self, replies: Sequence[RecordedReply]) -> None:
        self._replies = replies
        self._given = 0

    def reply_to(self, messages: Sequence[LLMMessage]) -> str:
        if self._given == len(self._replies):
            raise RecordingError(f"The recording has {self._given} replies here, and another one is requested.")
        reply = self._replies[self._given]
        sent = _sent_since_last_answer(messages)
        for text in reply.expects:
            if text not in sent:
                raise RecordingError(
                    f"The recording does not fit: reply {self._given + 1} of the {reply.agent} was recorded for a "
                    f"request with {text!r} in it, and this one has no such text. Run the task on a model."
                )
        self._given += 1
        return reply.content.strip()


def _sent_since_last_answer(messages: Sequence[LLMMessage]) -> str:
    latest: list[str] = []
    for message in reversed(messages):
        if isinstance(message, AssistantMessage):
            break
        if isinstance(message, UserMessage):
            latest.append(str(message.content))
    return "\n".join(reversed(latest))


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

        def model(agent: str) -> NamedModel:
            replies = [self._relocated(reply, sandbox) for reply in self.replies if reply.agent == agent]
            return NamedModel(name=RECORDED, client=RecordedChatCompletionClient(replies, pace=pace), recorded=True)

        return SwarmModels(planner=model("planner"), coder=model("coder"), reviewer=model("reviewer"))

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
