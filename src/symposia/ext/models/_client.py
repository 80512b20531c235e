"""What the clients of all vendors do alike: check, send, assemble, count. An adapter a vendor knows the wire format."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

from pydantic import BaseModel

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelInfo,
    RequestUsage,
    estimate_tokens,
)
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._cancellation import Waiting
from symposia.ext.models._errors import Vendor
from symposia.ext.models._observed import ObservedChat
from symposia.ext.models._usage import UsageMeter

if TYPE_CHECKING:
    from symposia.core import CancellationToken

Body: TypeAlias = dict[str, object]
"""A request, as JSON."""

ToolChoice: TypeAlias = Tool | Literal["auto", "required", "none"]
JsonOutput: TypeAlias = bool | type[BaseModel] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """All that one request is made from; the fields are the arguments of `ChatCompletionClient.create`."""

    messages: Sequence[LLMMessage]
    tools: Sequence[Tool | ToolSchema]
    tool_choice: ToolChoice
    json_output: JsonOutput
    extra: Mapping[str, Any]  # any argument of the vendor's


class Assembly(Protocol):
    """A streamed answer on its way to being whole. It does no I/O."""

    def feed(self, event: object, /) -> str:
        """Take the next event, and say which text it adds to the answer."""
        ...

    def whole(self) -> object:
        """The answer as the vendor would have given it without streaming."""
        ...


class EventStream(Protocol):
    """A streamed answer, as the SDKs give it: parsed JSON, event by event."""

    def __aiter__(self) -> AsyncIterator[object]: ...

    async def __anext__(self) -> object: ...

    async def close(self) -> None:
        """End the request, whatever is still to come."""
        ...


class VendorClient(ChatCompletionClient):
    """A client of a vendor's SDK, short of the wire format."""

    def __init__(self, *, vendor: Vendor, server: str, model: str, model_info: ModelInfo, context: int) -> None:
        self._vendor = vendor
        self._server = server
        self._model = model
        self._model_info = model_info
        self._context = context
        self._usage = UsageMeter()

    @abstractmethod
    def _body(self, question: Question) -> Body:
        """The request as JSON."""

    @abstractmethod
    async def _send(self, body: Body) -> object:
        """Send a request and wait for the whole answer, as JSON."""

    @abstractmethod
    async def _open(self, body: Body) -> EventStream:
        """Send a request whose answer is streamed."""

    @abstractmethod
    def _assembly(self) -> Assembly:
        """What puts a streamed answer together."""

    @abstractmethod
    def _result(self, whole: object) -> CreateResult:
        """What a whole answer says."""

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: ToolChoice = "auto",
        json_output: JsonOutput = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """See `ChatCompletionClient.create`."""
        question = Question(
            messages=messages, tools=tools, tool_choice=tool_choice, json_output=json_output, extra=extra_create_args
        )
        body = self._checked_body(question)
        chat = self._observed(question, body, stream=False)
        with chat, chat.current():
            with self._vendor.explaining_errors(self._model), Waiting(cancellation_token) as waiting:
                whole = await waiting.on(lambda: self._send(body))
            return chat.answered(whole, self._counted(self._result(whole)))

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: ToolChoice = "auto",
        json_output: JsonOutput = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
        max_consecutive_empty_chunk_tolerance: int = 0,  # noqa: ARG002 - AutoGen's; an empty chunk does no harm here
    ) -> AsyncGenerator[str | CreateResult, None]:
        """See `ChatCompletionClient.create_stream`."""
        question = Question(
            messages=messages, tools=tools, tool_choice=tool_choice, json_output=json_output, extra=extra_create_args
        )
        assembly = self._assembly()
        body = self._checked_body(question)
        with self._observed(question, body, stream=True) as chat:
            async with aclosing(chat.within(self._events(body, cancellation_token))) as events:
                async for event in events:
                    if text := assembly.feed(event):
                        yield text
            whole = assembly.whole()
            result = chat.answered(whole, self._counted(self._result(whole)))
        yield result

    def _observed(self, question: Question, body: Body, *, stream: bool) -> ObservedChat:
        json = bool(question.json_output)
        return ObservedChat(self._vendor.provider, self._server, question.messages, body, stream=stream, json=json)

    async def _events(self, body: Body, token: CancellationToken | None) -> AsyncGenerator[object, None]:
        with self._vendor.explaining_errors(self._model), Waiting(token) as waiting:
            stream = await waiting.on(lambda: self._open(body))
            try:
                while (event := await waiting.on(lambda: anext(stream, _END))) is not _END:
                    yield event
            finally:
                await stream.close()

    def _checked_body(self, question: Question) -> Body:
        info = self._model_info
        if question.tools and not info["function_calling"]:
            raise self._cannot("take tools")
        if question.json_output is True and not info["json_output"]:
            raise self._cannot("be told to answer in JSON")
        if isinstance(question.json_output, type) and not info.get("structured_output", False):
            raise self._cannot(f"keep to the schema of {question.json_output.__name__}")
        if isinstance(choice := question.tool_choice, Tool) and choice.name not in map(tool_name, question.tools):
            raise InvalidArgumentError(f"tool_choice is {choice.name!r}, which is not among the tools.")
        return self._body(question)

    def _cannot(self, ability: str) -> InvalidArgumentError:
        return InvalidArgumentError(
            f"Model {self._model!r} cannot {ability}, by its model_info. If it can, give the client model_info=."
        )

    def _counted(self, result: CreateResult) -> CreateResult:
        self._usage.add(result.usage)
        return result

    def actual_usage(self) -> RequestUsage:
        """See `ChatCompletionClient.actual_usage`."""
        return self._usage.read()

    def total_usage(self) -> RequestUsage:
        """See `ChatCompletionClient.total_usage`."""
        return self._usage.read()

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """See `ChatCompletionClient.count_tokens`."""
        return estimate_tokens(messages, tools=tools)

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """See `ChatCompletionClient.remaining_tokens`."""
        return self._context - self.count_tokens(messages, tools=tools)

    @property
    def capabilities(self) -> ModelInfo:
        """AutoGen's name of old for `model_info`."""
        return self._model_info

    @property
    def model_info(self) -> ModelInfo:
        """What the model can do."""
        return self._model_info


def tool_schema(tool: Tool | ToolSchema) -> ToolSchema:
    """What the model is to be told of a tool."""
    return tool.schema if isinstance(tool, Tool) else tool


def tool_name(tool: Tool | ToolSchema) -> str:
    """What the model calls a tool."""
    return tool.name if isinstance(tool, Tool) else tool["name"]


_END: Final = object()
