"""The conversation of an agent with another one, in a thread of an assistant. Functions are called here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from typing_extensions import Unpack, override

from symposia.core.models import (
    AssistantMessage,
    CreateOptions,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    UserMessage,
    call_model,
)
from symposia.ext.agents.openai import OpenAIAssistantClient
from symposia.v02._background_loop import await_in_home_loop, run_in_background
from symposia.v02.agentchat._conversable import Conversable
from symposia.v02.agentchat._forms import Form
from symposia.v02.agentchat._messages import Message, text_of
from symposia.v02.agentchat._tools import function_call_reply

ENDING: Final = "\n"
"""What AutoGen 0.2 writes behind the text of an assistant."""


class AssistantThread:
    """A thread, and how far the conversation is in it.

    Args:
        client: Runs the assistant over the thread.

    Attributes:
        id: The thread at the service; None before the first answer.
    """

    def __init__(self, client: ThreadClientAtHome) -> None:
        self._client = client
        self._conversation: list[LLMMessage] = []
        self._read = 0
        self._reply: str | None = None

    @property
    def id(self) -> str | None:
        return self._client.thread_id

    async def reply(
        self, form: Form, agent: Conversable, history: Sequence[Message], options: Mapping[str, object]
    ) -> str:
        """The answer of the assistant to what is new in a history.

        Args:
            form: The form of the calls of functions.
            agent: Executes them.
            history: The whole conversation. It may have the former reply, or not.
            options: What holds for the run in place of what the assistant has.

        Raises:
            ModelError: The service or the run failed. The next reply takes in the same messages.
        """
        new = history[self._read :]
        if new and self._reply is not None and new[0].get("content") == self._reply:
            new = new[1:]
        conversation = [*self._conversation, *(_posted(message) for message in new if text_of(message).strip())]
        words: list[str] = []
        while True:
            result = await self._answer(form, conversation, options)
            conversation.append(_kept(result, agent.name))
            words += _said(result)
            if isinstance(result.content, str):
                break
            conversation.append(await _results(form, agent, result))
        self._conversation, self._read = conversation, len(history)
        self._reply = "\n\n".join(words) + ENDING
        return self._reply

    async def _answer(
        self, form: Form, conversation: Sequence[LLMMessage], options: Mapping[str, object]
    ) -> CreateResult:
        async def call() -> CreateResult:
            return await call_model(self._client, conversation, extra_create_args=options)

        return await call() if form.is_async else run_in_background(call)


class ThreadClientAtHome(OpenAIAssistantClient):
    """Uses its connections in one event loop, whichever the callers are in."""

    @override
    async def create(self, messages: Sequence[LLMMessage], **options: Unpack[CreateOptions]) -> CreateResult:
        """As `ThreadClient.create`."""
        create = super().create
        return await await_in_home_loop(lambda: create(messages, **options))


def _posted(message: Message) -> LLMMessage:
    if message.get("role") == "user":
        return UserMessage(content=text_of(message), source="user")
    return AssistantMessage(content=text_of(message), source=message.get("name") or "assistant")


def _kept(result: CreateResult, source: str) -> AssistantMessage:
    return AssistantMessage(
        content=result.content, thought=result.thought, source=source, vendor_blocks=result.vendor_blocks
    )


def _said(result: CreateResult) -> list[str]:
    """The texts of a result: what is said before calls, the files of images, the answer."""
    text = result.content if isinstance(result.content, str) else result.thought
    blocks = [block for each in (result.vendor_blocks or {}).values() for block in each]
    files = [str(file) for block in blocks for file in cast("Sequence[object]", block.get("image_files", ()))]
    return [*(f"Received file id={file}" for file in files), *([text] if text else [])]


async def _results(form: Form, agent: Conversable, result: CreateResult) -> FunctionExecutionResultMessage:
    results: list[FunctionExecutionResult] = []
    for call in result.content:
        if isinstance(call, str):
            continue
        said = await function_call_reply(form, agent, {"name": call.name, "arguments": call.arguments})
        results.append(FunctionExecutionResult(call_id=call.id, name=call.name, content=text_of(said), is_error=False))
    return FunctionExecutionResultMessage(content=results)
