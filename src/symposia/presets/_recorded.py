"""Recorded models: their answers are given again, each only to a request that it was recorded for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Final, Unpack

from pydantic import BaseModel, ConfigDict

from symposia.core.exceptions import ModelError
from symposia.core.models import AssistantMessage, CreateOptions, CreateResult, LLMMessage, ModelInfo, UserMessage
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.presets._models import NamedModel

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


def recorded_model(replies: Sequence[RecordedReply], agent: str, *, pace: float = 0.0) -> NamedModel:
    """The recorded model of an agent, from its first reply on."""
    own = [reply for reply in replies if reply.agent == agent]
    return NamedModel(name=RECORDED, client=RecordedChatCompletionClient(own, pace=pace), recorded=True)
