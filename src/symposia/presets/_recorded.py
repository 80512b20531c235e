"""Recorded models: they replay answers, each only to a request that it was recorded for."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Final, Unpack

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from symposia.core import FunctionCall
from symposia.core.exceptions import ModelError
from symposia.core.models import (
    AssistantMessage,
    CreateOptions,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelInfo,
    RequestUsage,
    UserMessage,
)
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.presets._models import NamedModel

RECORDED: Final = "recorded"
ABILITIES: Final = ModelInfo(
    vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True
)


class RecordingError(ModelError):
    """A recorded model received a request that it was not recorded for."""


class RecordedCall(BaseModel):
    """A call of a tool, as a recorded model makes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])


class RecordedReply(BaseModel):
    """One answer of a recorded model.

    Attributes:
        agent: The name of the agent.
        expects: Texts that the messages to the agent since its last answer have to contain.
        content: The answer; empty if it calls tools.
        call: The tools that it calls.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    agent: str
    expects: tuple[str, ...] = ()
    content: str = ""
    call: tuple[RecordedCall, ...] = ()


class RecordedChatCompletionClient(ReplayChatCompletionClient):
    """Replays replies in order. A request that does not fit its reply is a `RecordingError`. Words count as tokens.

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

    def reply_to(self, messages: Sequence[LLMMessage]) -> str | CreateResult:
        if self._given == len(self._replies):
            raise RecordingError(f"The recording has {self._given} replies here, and another one is requested.")
        reply = self._replies[self._given]
        sent = _sent_since_last_answer(messages)
        for text in reply.expects:
            if text not in sent:
                raise RecordingError(
                    f"The recording does not fit: reply {self._given + 1} of the {reply.agent} was recorded for a "
                    f"request with {text!r} in it, and this one has no such text. Use a model instead: "
                    "on the command line, --model M."
                )
        self._given += 1
        return _calls(reply, self._given, sent) if reply.call else reply.content.strip()


def _sent_since_last_answer(messages: Sequence[LLMMessage]) -> str:
    latest: list[str] = []
    for message in reversed(messages):
        if isinstance(message, AssistantMessage):
            break
        if isinstance(message, UserMessage):
            latest.append(str(message.content))
        elif isinstance(message, FunctionExecutionResultMessage):
            latest += [result.content for result in reversed(message.content)]
    return "\n".join(reversed(latest))


def _calls(reply: RecordedReply, number: int, sent: str) -> CreateResult:
    calls = [
        FunctionCall(id=f"{number}-{index}", name=call.name, arguments=json.dumps(call.arguments, ensure_ascii=False))
        for index, call in enumerate(reply.call)
    ]
    words = sum(len(call.arguments.split()) + 1 for call in calls)
    usage = RequestUsage(prompt_tokens=len(sent.split()), completion_tokens=words, estimated=True)
    return CreateResult(finish_reason="function_calls", content=calls, usage=usage, cached=True)


def recorded_model(replies: Sequence[RecordedReply], agent: str, *, pace: float = 0.0) -> NamedModel:
    """The recorded model of an agent, from its first reply on."""
    own = [reply for reply in replies if reply.agent == agent]
    return NamedModel(name=RECORDED, client=RecordedChatCompletionClient(own, pace=pace), recorded=True)


class RecordedConversation(BaseModel):
    """A conversation with people that comes with a recording.

    Attributes:
        title: A few words.
        lines: What the people say, in order.
        reply: What the models answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    lines: tuple[str, ...]
    reply: tuple[RecordedReply, ...]

    @classmethod
    def read(cls, file: Path) -> RecordedConversation:
        """Read a conversation from a TOML file."""
        return cls.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
