"""The replay client."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Final, NotRequired

from typing_extensions import TypedDict

from symposia.core import CancellationToken
from symposia.core.argument_checks import check_list, check_messages
from symposia.core.exceptions import ArgumentTypeError
from symposia.core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelFamily,
    ModelInfo,
    RequestUsage,
    TokenPrice,
    report_usage,
    validate_model_info,
)
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._wire_format import JsonOutput, ToolChoice
from symposia.ext.models.replay._script import Answer, FunctionPlayer, ListPlayer, Script, count_words, words_in

CONTEXT_WORDS: Final = 10_000

_CHUNK: Final = re.compile(r"\s*\S+\s*")
_NO_ABILITIES: Final = ModelInfo(
    vision=False, function_calling=False, json_output=False, family=ModelFamily.UNKNOWN, structured_output=False
)


class CreateCall(TypedDict):
    """The arguments of one request, by parameter name. The list of messages is as it was when they were sent.

    `tool_choice` is there only if it is not ``"auto"``: AutoGen leaves it out, and tests compare whole calls.
    """

    messages: list[LLMMessage]
    tools: list[Tool | ToolSchema]
    tool_choice: NotRequired[ToolChoice]
    json_output: JsonOutput
    extra_create_args: Mapping[str, object]
    cancellation_token: CancellationToken | None


class ReplayChatCompletionClient(ChatCompletionClient):
    """A model client that returns scripted answers.

    A token is a word here, so that usage can be foretold. `total_usage` adds up all answers, `actual_usage` is that of
    the last one. Text is streamed word by word; a `CreateResult` comes in one piece.

    Args:
        chat_completions: Answers to give in turn, of which an exception is raised; or a function, plain or async, that
            is given the messages and answers them, each time.
        model_info: The abilities that the model claims; none by default.

    Raises:
        ValueError: `model_info` lacks a field.
        ArgumentTypeError: `chat_completions` is one text, or anything else that is no list of answers.
    """

    component_type = "replay_chat_completion_client"

    def __init__(self, chat_completions: Script, model_info: ModelInfo | None = None) -> None:
        if model_info is not None:
            validate_model_info(model_info)
        if not callable(chat_completions):  # a text would be read by letters
            check_list("The answers of a ReplayChatCompletionClient", chat_completions)
        self.chat_completions = chat_completions
        self._player = FunctionPlayer(chat_completions) if callable(chat_completions) else ListPlayer(chat_completions)
        self._model_info = model_info or _NO_ABILITIES
        self._cached = True
        self._calls: list[CreateCall] = []
        self._forget_usage()

    def _forget_usage(self) -> None:
        self._total_usage = RequestUsage(prompt_tokens=0, completion_tokens=0)
        self._last_usage = RequestUsage(prompt_tokens=0, completion_tokens=0)

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: ToolChoice = "auto",
        json_output: JsonOutput = None,
        extra_create_args: Mapping[str, object] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """Give the next answer.

        Raises:
            ValueError: All answers are given.
            ArgumentTypeError: The next answer is none, but for instance a dictionary.
            asyncio.CancelledError: The token was cancelled.
        """
        call = _call(messages, tools, tool_choice, json_output, extra_create_args, cancellation_token)
        return self._result(messages, await self._answer(call))

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: ToolChoice = "auto",
        json_output: JsonOutput = None,
        extra_create_args: Mapping[str, object] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Give the next answer in pieces."""
        call = _call(messages, tools, tool_choice, json_output, extra_create_args, cancellation_token)
        answer = await self._answer(call)
        if isinstance(answer, str):
            for chunk in _CHUNK.findall(answer):
                yield chunk
        yield self._result(messages, answer)

    async def _answer(self, call: CreateCall) -> Answer:
        token = call["cancellation_token"]
        if token is not None and token.is_cancelled():
            raise asyncio.CancelledError
        self._calls.append(call)
        return await self._player.answer(call["messages"], token)

    def _result(self, messages: Sequence[LLMMessage], answer: Answer) -> CreateResult:
        result = self._spoken(messages, answer) if isinstance(answer, str) else answer
        if not hasattr(result, "usage"):  # not before, since a function answers only now
            raise ArgumentTypeError(
                f"An answer of a ReplayChatCompletionClient is a text, a CreateResult or an exception, not {answer!r}"
            )
        self._last_usage = result.usage
        self._total_usage += result.usage
        report_usage(result.usage)
        return result

    def _spoken(self, messages: Sequence[LLMMessage], text: str) -> CreateResult:
        usage = RequestUsage(prompt_tokens=count_words(messages), completion_tokens=words_in(text), usd=0.0)
        return CreateResult(finish_reason="stop", content=text, usage=usage, cached=self._cached)

    async def close(self) -> None:
        """Do nothing: the client holds no resources."""

    def reset(self) -> None:
        """Start over with the first answer, with no usage. The calls so far stay in `create_calls`."""
        self._player.rewind()
        self._forget_usage()

    def set_cached_bool_value(self, value: bool) -> None:
        """Set whether results made of text are marked ``cached``; they are by default."""
        self._cached = value

    @property
    def create_calls(self) -> list[CreateCall]:
        """Each request so far, those before a `reset` too."""
        return self._calls

    def actual_usage(self) -> RequestUsage:
        """Words of the last request and its answer."""
        return self._last_usage

    def total_usage(self) -> RequestUsage:
        """Words of all requests and answers since the client was made or reset."""
        return self._total_usage

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """Words in the messages; tools have none."""
        _check(messages, tools)
        return count_words(messages)

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """Words left of a context of ten thousand."""
        return CONTEXT_WORDS - self.count_tokens(messages, tools=tools)

    @property
    def token_price(self) -> TokenPrice:
        """Nothing: the answers are there already."""
        return TokenPrice(0, 0)

    @property
    def capabilities(self) -> ModelInfo:
        """The former name of `model_info`."""
        return self._model_info

    @property
    def model_info(self) -> ModelInfo:
        """The abilities that the model claims."""
        return self._model_info


def _call(
    messages: Sequence[LLMMessage],
    tools: Sequence[Tool | ToolSchema],
    tool_choice: ToolChoice,
    json_output: JsonOutput,
    extra_create_args: Mapping[str, object],
    cancellation_token: CancellationToken | None,
) -> CreateCall:
    _check(messages, tools)
    call = CreateCall(
        messages=list(messages),
        tools=list(tools),
        json_output=json_output,
        extra_create_args=extra_create_args,
        cancellation_token=cancellation_token,
    )
    if tool_choice != "auto":
        call["tool_choice"] = tool_choice
    return call


def _check(messages: Sequence[LLMMessage], tools: Sequence[Tool | ToolSchema]) -> None:
    check_messages(messages)
    check_list("The tools of a model", tools)
