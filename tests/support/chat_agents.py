"""What the models of agents are told to say in tests, and how the agents are watched."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from symposia.agentchat.agents import BaseChatAgent
from symposia.agentchat.base import Response, TaskResult
from symposia.agentchat.messages import BaseAgentEvent, BaseChatMessage, TextMessage
from symposia.core import CancellationToken, FunctionCall, Image
from symposia.core.effects import Effect, EffectRequest
from symposia.core.model_context import ChatCompletionContext
from symposia.core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelInfo,
    RequestUsage,
)
from symposia.ext.models.replay import Answer, ReplayChatCompletionClient

RequestT = TypeVar("RequestT", bound=EffectRequest)
ResultT = TypeVar("ResultT")

USAGE = RequestUsage(prompt_tokens=3, completion_tokens=2)
ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True)
SEEING = ModelInfo(vision=True, function_calling=True, json_output=True, family="unknown", structured_output=True)
PIXEL = Image.from_base64(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"
)


def says(text: str, *, thought: str | None = None) -> CreateResult:
    """An answer in words."""
    return CreateResult(finish_reason="stop", content=text, usage=USAGE, cached=False, thought=thought)


def asks_for(*calls: tuple[str, str], thought: str | None = None) -> CreateResult:
    """An answer that asks for tools, by (name, arguments); the ids of the calls are "0", "1", …"""
    content = [FunctionCall(id=str(i), name=name, arguments=arguments) for i, (name, arguments) in enumerate(calls)]
    return CreateResult(finish_reason="function_calls", content=content, usage=USAGE, cached=False, thought=thought)


def model(*answers: Answer | Exception, info: ModelInfo = ABLE) -> ReplayChatCompletionClient:
    """A model that gives these answers in turn, and raises what is an exception."""
    return ReplayChatCompletionClient(list(answers), model_info=info)


class ByLength(ReplayChatCompletionClient):
    """A model whose answer depends on the length of the conversation, and not on how often it was asked."""

    def __init__(self, answers: Mapping[int, CreateResult]) -> None:
        super().__init__(list(answers.values()), model_info=ABLE)
        self._answers = answers

    async def create(self, messages: Sequence[LLMMessage], **options: Any) -> CreateResult:  # type: ignore[override]  # Any: passed on
        return await model(self._answers[len(messages)]).create(messages, **options)


def shown(client: ReplayChatCompletionClient, call: int = -1) -> list[LLMMessage]:
    """What a model was shown in one of its calls."""
    return client.create_calls[call]["messages"]


def kinds(items: Sequence[object]) -> list[str]:
    """The class of each item."""
    return [type(item).__name__ for item in items]


async def collected(
    stream: AsyncGenerator[BaseAgentEvent | BaseChatMessage | TaskResult, None],
) -> list[BaseAgentEvent | BaseChatMessage | TaskResult]:
    """All items of a run's stream."""
    return [item async for item in stream]


def dangling_calls(messages: Sequence[LLMMessage]) -> set[str]:
    """The ids of the tool calls in a conversation that have no result right behind them."""
    unanswered: set[str] = set()
    dangling: set[str] = set()
    for message in messages:
        if isinstance(message, FunctionExecutionResultMessage):
            unanswered -= {result.call_id for result in message.content}
            continue
        dangling |= unanswered
        unanswered = {call.id for call in _calls(message)}
    return dangling | unanswered


def _calls(message: LLMMessage) -> Sequence[FunctionCall]:
    return message.content if isinstance(message, AssistantMessage) and not isinstance(message.content, str) else ()


class SlowContext(ChatCompletionContext):
    """A context that lets other tasks run at every use, so that a turn can be cancelled there."""

    async def add_message(self, message: LLMMessage) -> None:
        await asyncio.sleep(0)
        await super().add_message(message)
        await asyncio.sleep(0)

    async def get_messages(self) -> list[LLMMessage]:
        await asyncio.sleep(0)
        return list(self._messages)


class RecordingHandler:
    """An effect handler that performs effects and remembers them."""

    def __init__(self) -> None:
        self.effects: list[Effect[Any, Any]] = []  # Any: of all kinds

    async def handle(self, effect: Effect[RequestT, ResultT], proceed: Callable[[], Awaitable[ResultT]]) -> ResultT:
        self.effects.append(effect)
        return await proceed()

    @property
    def seen(self) -> list[str]:
        """Each effect as ``scope kind``."""
        return [f"{effect.scope} {effect.kind.name}" for effect in self.effects]


class Parrot(BaseChatAgent):
    """Says what it was told last."""

    def __init__(self, name: str = "parrot") -> None:
        super().__init__(name, "Repeats.")

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        return Response(chat_message=TextMessage(content=messages[-1].to_text(), source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        pass
