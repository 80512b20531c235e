"""The common part of all vendors' clients: check, send, assemble, count. The rest is in a `WireFormat`."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Protocol, Self, cast

from pydantic import BaseModel, JsonValue
from typing_extensions import override

from symposia.core import CancellationToken
from symposia.core.argument_checks import check_list, check_messages
from symposia.core.exceptions import InvalidArgumentError, ModelError, UsageError
from symposia.core.json_values import as_json
from symposia.core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelInfo,
    RequestUsage,
    TokenPrice,
    estimate_tokens,
    model_info_advice,
    report_usage,
)
from symposia.core.tools import Tool, ToolSchema, prepare_tools
from symposia.ext.models._context_overflow import RequestSize
from symposia.ext.models._exchange import Answer, Exchange, StreamedAnswer
from symposia.ext.models._options import as_arguments
from symposia.ext.models._service import Service
from symposia.ext.models._telemetry import ObservedChat, reported_model
from symposia.ext.models._tool_descriptions import tool_name
from symposia.ext.models._transport import Transport
from symposia.ext.models._unfinished_answers import remark_on
from symposia.ext.models._usage import spent_on, usage_of
from symposia.ext.models._wire_format import Body, ChatRequest, JsonOutput, ToolChoice, WireFormat

logger = logging.getLogger(__name__)


class TokenCounter(Protocol):
    """Counts the tokens of requests to a model by a tokenizer."""

    def count(self, messages: Sequence[LLMMessage], tools: Sequence[Tool | ToolSchema]) -> int | None:
        """The tokens; None if the tokenizer is not on this machine. There is no network in it."""
        ...

    def is_exact(self, messages: Sequence[LLMMessage], tools: Sequence[Tool | ToolSchema]) -> bool:
        """Whether that is what the vendor counts."""
        ...


class VendorClient(ChatCompletionClient):
    """A client of a vendor's models, made of a wire format and a transport.

    The wire format holds the vendor's rules and does no I/O: messages to JSON, JSON to a result, and the assembly of a
    stream. The transport sends and receives. This class does the rest: it refuses what the model cannot do, ends a
    request when its token is cancelled, turns every failure into a `ModelError`, counts tokens, and is traced.

    Args:
        service: The service, as errors and traces name it.
        model: The model's name.
        model_info: What the model can do.
        context: Tokens that a prompt and its answer may take together.
        wire: The vendor's format.
        transport: The way to the vendor.
        arguments: What goes with every request, for `effect_identity`.
        price: The list price of the model's tokens; None where it is not known.
        counter: Counts tokens; without one they are estimated.
    """

    def __init__(
        self,
        *,
        service: Service,
        model: str,
        model_info: ModelInfo,
        context: int,
        wire: WireFormat[Any],  # Any: only the format itself looks into its answers
        transport: Transport,
        arguments: Mapping[str, object] = {},
        price: TokenPrice | None = None,
        counter: TokenCounter | None = None,
    ) -> None:
        self._counter = counter
        self._price = price
        self._service = service
        self._model = model
        self._model_info = model_info
        self._context = context
        self._wire = wire
        self._transport = transport
        self._create_arguments = arguments
        self._usage = RequestUsage(prompt_tokens=0, completion_tokens=0)
        self._warned = False
        self._is_closed = False

    @classmethod
    @override
    def _from_config(cls, config: BaseModel) -> Self:
        return super()._from_config(as_arguments(config))

    def effect_identity(self) -> dict[str, JsonValue]:
        """See `ChatCompletionClient.effect_identity`: the class, the model, the address and the arguments.

        Headers and query parameters are left out, since they may hold secrets.
        """
        secret = {"extra_headers", "extra_query", "timeout"}
        return {
            **super().effect_identity(),
            "model": self._model,
            "address": self._service.address,
            "arguments": as_json(
                {name: argument for name, argument in self._create_arguments.items() if name not in secret},
                "the client's arguments",
            ),
        }

    # The parameters of `create` and `create_stream` are written out, as in AutoGen: a program that overrides one writes
    # them out too, and a type checker accepts that only if they stand here. `**options: Unpack[…]` was rejected for it.

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
        """See `ChatCompletionClient.create`."""
        request = ChatRequest(
            messages=messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
        )
        await _prepare(tools)
        body = self._body(request, stream=False)
        if body.get("stream"):  # the format's choice, where the vendor gives so long an answer only as a stream
            async with aclosing(self._stream(request)) as stream:
                return cast("CreateResult", [item async for item in stream][-1])
        with self._observed(request, body, stream=False) as chat, chat.current():
            answer = await self._exchange(request, body).send()
            return chat.answered(answer.whole, self._counted(answer, request))

    def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: ToolChoice = "auto",
        json_output: JsonOutput = None,
        extra_create_args: Mapping[str, object] = {},
        cancellation_token: CancellationToken | None = None,
        max_consecutive_empty_chunk_tolerance: int = 0,  # noqa: ARG002 - AutoGen's; an empty chunk does no harm here
    ) -> AsyncGenerator[str | CreateResult, None]:
        """See `ChatCompletionClient.create_stream`."""
        return self._stream(
            ChatRequest(
                messages=messages,
                tools=tools,
                tool_choice=tool_choice,
                json_output=json_output,
                extra_create_args=extra_create_args,
                cancellation_token=cancellation_token,
            )
        )

    async def _stream(self, request: ChatRequest) -> AsyncGenerator[str | CreateResult, None]:
        await _prepare(request.tools)
        body = self._body(request, stream=True)
        # Unlike in `create`, the span is not made current here: the consumer's code runs between two items, and its own
        # spans are no children of this one. `within` makes it current only while the stream itself is read.
        with self._observed(request, body, stream=True) as chat:
            streamed, token = StreamedAnswer(self._wire.assembly()), request.cancellation_token
            try:
                stream = self._exchange(request, body).receive(streamed)
                async with aclosing(chat.within(stream)) as batches:
                    async for texts in batches:
                        for text in texts:
                            _check_token(token)  # they may have arrived together
                            yield text
            except BaseException as error:  # also where the caller leaves: what arrived was paid for
                partial = streamed.assembly.partial()
                if isinstance(error, ModelError):
                    error.partial = partial
                if (spent := spent_on(partial, streamed.assembly.usage, request)) is not None:
                    self._count(chat.interrupted(self._priced(spent)))
                raise
            answer = cast("Answer", streamed.answer)  # `receive` ends with it, or raises
            result = chat.answered(answer.whole, self._counted(answer, request))
        yield result

    def _exchange(self, request: ChatRequest, body: Body) -> Exchange:
        return Exchange(
            service=self._service,
            model=self._model,
            wire=self._wire,
            transport=self._transport,
            body=body,
            token=request.cancellation_token,
            is_closed=lambda: self._is_closed,
            estimate=lambda: RequestSize(
                tokens=self.count_tokens(request.messages, tools=request.tools), limit=self._context
            ),
        )

    def _observed(self, request: ChatRequest, body: Body, *, stream: bool) -> ObservedChat:
        json = bool(request.json_output)
        service = self._service
        return ObservedChat(service.provider, service.address, request.messages, body, stream=stream, json=json)

    def _body(self, request: ChatRequest, *, stream: bool) -> Body:
        # Checked here and not left to the vendor: some models ignore what they cannot do, so that an answer without
        # JSON or tool calls would come back, and no vendor's error names the option that has to be changed.
        check_messages(request.messages)
        if self._is_closed:
            raise UsageError(
                f"The client of model {self._model!r} is closed: make another one, or close it after the last request."
            )
        info = self._model_info
        if not isinstance(request.json_output, bool | type | None):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked
            raise InvalidArgumentError(f"json_output is {request.json_output!r}: give True, False or a pydantic model.")
        if request.tools and not info["function_calling"]:
            raise self._cannot("take tools", "function_calling")
        if request.json_output is True and not info["json_output"]:
            raise self._cannot("be told to answer in JSON", "json_output")
        if isinstance(request.json_output, type) and not info.get("structured_output", False):
            raise self._cannot(f"keep to the schema of {request.json_output.__name__}", "structured_output")
        choice = request.tool_choice
        # A test for the protocol alone takes 30 microseconds in Python 3.11, and most choices are a word.
        if not isinstance(choice, str | None) and choice.name not in map(tool_name, request.tools):
            raise InvalidArgumentError(
                f"tool_choice is {choice.name!r}, which is not among the tools: give it with them, in tools=."
            )
        if request.extra_create_args:
            as_json(request.extra_create_args, "extra_create_args")  # the SDK's failure would not name the argument
        return self._wire.write(request, stream=stream)

    def _cannot(self, task: str, ability: str) -> InvalidArgumentError:
        return InvalidArgumentError(
            f"Model {self._model!r} cannot {task}, by its model_info. Take a model that can. "
            + model_info_advice(ability)
        )

    def _counted(self, answer: Answer, request: ChatRequest) -> CreateResult:
        """Add the tokens of an answer to those of the client; they are estimated where the server sent none.

        An answer that is not whole is logged, since a message of an agent no longer says so.
        """
        result = answer.result
        result.usage = self._priced(usage_of(result, request))
        if (reported := reported_model(answer.whole)) not in (None, "", self._model):
            result.usage.reported_models = (str(reported),)
        self._count(result.usage)
        if (remark := remark_on(self._model, result)) is not None:
            logger.warning("%s", remark)
        if result.usage.estimated and not self._warned:
            self._warned = True
            warnings.warn(self._service.uncounted(self._model), stacklevel=2)
        return result

    def _count(self, usage: RequestUsage) -> None:
        self._usage += usage
        report_usage(usage)

    def _priced(self, usage: RequestUsage) -> RequestUsage:
        """A usage with the model and the money."""
        usd = None if self._price is None else self._price.cost_of(usage)
        return replace(usage, model=self._model, usd=usd)

    async def close(self) -> None:
        """See `ChatCompletionClient.close`."""
        self._is_closed = True
        await self._transport.close()

    def actual_usage(self) -> RequestUsage:
        """See `ChatCompletionClient.actual_usage`."""
        return replace(self._usage)  # a copy that the caller may change

    def total_usage(self) -> RequestUsage:
        """See `ChatCompletionClient.total_usage`."""
        return replace(self._usage)

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """See `ChatCompletionClient.count_tokens`."""
        check_messages(messages)
        check_list("The tools of a model", tools)
        counted = None if self._counter is None else self._counter.count(messages, tools)
        return estimate_tokens(messages, tools=tools) if counted is None else counted

    def counts_exactly(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> bool:
        """See `ChatCompletionClient.counts_exactly`: where a tokenizer of the model is on the machine."""
        check_messages(messages)
        return self._counter is not None and self._counter.is_exact(messages, tools)

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """See `ChatCompletionClient.remaining_tokens`."""
        return self._context - self.count_tokens(messages, tools=tools)

    @property
    def token_price(self) -> TokenPrice | None:
        """See `ChatCompletionClient.token_price`: the vendor's list price."""
        return self._price

    @property
    def capabilities(self) -> ModelInfo:
        """The former name of `model_info`."""
        return self._model_info

    @property
    def model_info(self) -> ModelInfo:
        """The abilities of the model."""
        return self._model_info


async def _prepare(tools: Sequence[Tool | ToolSchema]) -> None:
    """Have the schemas of tools at hand, which some find out by running code in a sandbox."""
    check_list("The tools of a model", tools)
    await prepare_tools(tools)


def _check_token(token: CancellationToken | None) -> None:
    if token is not None and token.is_cancelled():
        raise asyncio.CancelledError
