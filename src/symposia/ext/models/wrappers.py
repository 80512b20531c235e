"""The base of wrappers: clients around other clients, each of which adds one behaviour.

Retrying, limiting, caching and choosing are wrappers, which nest in any order. A program's own is a subclass of
`ModelClientWrapper` with one method::

    class Polite(ModelClientWrapper):
        def answer(self, call: ModelCall) -> AsyncGenerator[str | CreateResult, None]:
            messages = [SystemMessage(content="Be polite."), *call.messages]
            return replace(call, messages=messages).ask(self._client)
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from symposia.core import CancellationToken
from symposia.core.argument_checks import check_list, check_messages, check_model_client
from symposia.core.exceptions import PeerError
from symposia.core.models import (
    ChatCompletionClient,
    CreateOptions,
    CreateResult,
    LLMMessage,
    ModelInfo,
    RequestUsage,
    TokenPrice,
)
from symposia.core.tools import Tool, ToolSchema
from symposia.ext.models._wire_format import JsonOutput, ToolChoice

__all__ = ["ModelCall", "ModelClientWrapper", "OneOfSeveral", "begin"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelCall:
    """A call of `ChatCompletionClient.create` or `create_stream`, which a wrapper can make of any client.

    Both are streams to a wrapper: that of `create` has one item, the result. So a wrapper is written once for both.

    Attributes:
        messages: The conversation.
        options: The keyword arguments that differ from their defaults, so that clients that lack some of them work.
        streamed: Whether the call is of `create_stream`.
    """

    messages: Sequence[LLMMessage]
    options: CreateOptions
    streamed: bool

    @property
    def token(self) -> CancellationToken | None:
        """The token that cancels the call."""
        return self.options.get("cancellation_token")

    def ask(self, client: ChatCompletionClient) -> AsyncGenerator[str | CreateResult, None]:
        """Make the call of a client: text as it comes, and last the result."""
        if self.streamed:
            return client.create_stream(self.messages, **self.options)
        return self._whole(client)

    async def _whole(self, client: ChatCompletionClient) -> AsyncGenerator[str | CreateResult, None]:
        yield await client.create(self.messages, **self.options)


class ModelClientWrapper(ChatCompletionClient):
    """A client around another one.

    A subclass overrides `answer`. All else is that of the wrapped client: what it can do, what it costs, how it counts,
    and its `effect_identity`, so that a record of effects is found again when a wrapper is added. A wrapper is a
    component whose configuration holds that of the client.

    Args:
        client: The wrapped client.

    Raises:
        ArgumentTypeError: `client` is not a client.
    """

    def __init__(self, client: ChatCompletionClient) -> None:
        check_model_client(type(self).__name__, client, needed="create")
        self._client = client

    @property
    def clients(self) -> Sequence[ChatCompletionClient]:
        """The wrapped clients: one, for most wrappers."""
        return (self._client,)

    @abstractmethod
    def answer(self, call: ModelCall) -> AsyncGenerator[str | CreateResult, None]:
        """Answer a call, by asking the client: ``call.ask(self._client)``.

        Returns:
            Text as it comes, where the call is streamed, and last the result. It is closed when the caller leaves.
        """

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
        options = _given(tools, tool_choice, json_output, extra_create_args, cancellation_token)
        call = _checked(ModelCall(messages=messages, options=options, streamed=False))
        async with aclosing(self.answer(call)) as items:
            return cast("CreateResult", [item async for item in items][-1])

    def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: ToolChoice = "auto",
        json_output: JsonOutput = None,
        extra_create_args: Mapping[str, object] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """See `ChatCompletionClient.create_stream`."""
        options = _given(tools, tool_choice, json_output, extra_create_args, cancellation_token)
        return self.answer(_checked(ModelCall(messages=messages, options=options, streamed=True)))

    def effect_identity(self) -> dict[str, JsonValue]:
        """That of the wrapped client, since a wrapper does not decide what a model answers."""
        return self._client.effect_identity()

    async def close(self) -> None:
        """Close all clients inside, each once, and then `release`; also if one of them fails to close."""
        closings: dict[int, Callable[[], Awaitable[None]]] = {}
        for client in self.clients:
            _gather_closings(client, closings)
        async with AsyncExitStack() as stack:  # it calls the last one first, and the others whatever that raises
            stack.push_async_callback(self.release)
            for close in reversed(closings.values()):
                stack.push_async_callback(close)

    async def release(self) -> None:
        """Give back what the wrapper itself holds, such as a connection. By default it holds nothing."""

    def actual_usage(self) -> RequestUsage:
        """The sum of the `actual_usage` of the clients inside of all wrappers, each counted once."""
        return sum((client.actual_usage() for client in innermost(self.clients)), RequestUsage(0, 0))

    def total_usage(self) -> RequestUsage:
        """The sum of the `total_usage` of the clients inside of all wrappers, each counted once."""
        return sum((client.total_usage() for client in innermost(self.clients)), RequestUsage(0, 0))

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """See `ChatCompletionClient.count_tokens`; of several clients, the one that counts most."""
        return max(client.count_tokens(messages, tools=tools) for client in self.clients)

    def counts_exactly(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> bool:
        """See `ChatCompletionClient.counts_exactly`; of several clients, whether all do."""
        return all(client.counts_exactly(messages, tools=tools) for client in self.clients)

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """See `ChatCompletionClient.remaining_tokens`; of several clients, the one with the least room."""
        return min(client.remaining_tokens(messages, tools=tools) for client in self.clients)

    @property
    def token_price(self) -> TokenPrice | None:
        """The list price of the wrapped client; None where several have different ones."""
        prices = {client.token_price for client in self.clients}
        return prices.pop() if len(prices) == 1 else None

    @property
    def capabilities(self) -> ModelInfo:
        """The former name of `model_info`."""
        return self.model_info

    @property
    def model_info(self) -> ModelInfo:
        """The abilities of the wrapped client; of several clients, those that all have."""
        return _common_abilities([client.model_info for client in self.clients])


class OneOfSeveral(ModelClientWrapper):
    """A wrapper that asks one of several clients, and says in the result which of them answered.

    Args:
        clients: The clients.

    Raises:
        ArgumentTypeError: One of `clients` is not a client.
    """

    def __init__(self, clients: Sequence[ChatCompletionClient]) -> None:
        for client in clients:
            check_model_client(type(self).__name__, client, needed="create")
        self._clients = tuple(clients)

    @property
    def clients(self) -> Sequence[ChatCompletionClient]:
        """The clients, in order."""
        return self._clients

    def effect_identity(self) -> dict[str, JsonValue]:
        """The class of the wrapper, and the identities of the clients: all of them decide the answer."""
        identity = ChatCompletionClient.effect_identity(self)
        return {**identity, "clients": [client.effect_identity() for client in self.clients]}


def _gather_closings(client: ChatCompletionClient, closings: dict[int, Callable[[], Awaitable[None]]]) -> None:
    """Add what closes a client to `closings`, behind what closes those inside of it, by the ids of the clients."""
    if not isinstance(client, ModelClientWrapper) or type(client).close is not ModelClientWrapper.close:
        closings.setdefault(id(client), client.close)
    elif id(client) not in closings:
        for inner in client.clients:
            _gather_closings(inner, closings)
        closings[id(client)] = client.release


def innermost(clients: Sequence[ChatCompletionClient]) -> list[ChatCompletionClient]:
    """The clients that ask vendors, inside of all wrappers. One that several wrappers share is there once."""
    found: dict[int, ChatCompletionClient] = {}
    for client in clients:
        inside = innermost(client.clients) if isinstance(client, ModelClientWrapper) else [client]
        found.update((id(leaf), leaf) for leaf in inside)
    return list(found.values())


async def begin(call: ModelCall, client: ChatCompletionClient) -> AsyncGenerator[str | CreateResult, None]:
    """Make a call, and wait for the first item of the answer: up to then a wrapper may try something else.

    Returns:
        All items, the first one included. It has to be closed.
    """
    items = call.ask(client)
    return _continued(await anext(items, None), items)


async def _continued(
    first: str | CreateResult | None, items: AsyncGenerator[str | CreateResult, None]
) -> AsyncGenerator[str | CreateResult, None]:
    async with aclosing(items):
        if first is not None:
            yield first
        async for item in items:
            yield item


def is_lost_connection(error: BaseException) -> bool:
    """Whether a client of any class lost its connection. A `PeerError` says itself what failed."""
    return isinstance(error, ConnectionError) and not isinstance(error, PeerError)


def signed(item: str | CreateResult, name: str) -> str | CreateResult:
    """An item of an answer; the result says which model answered, unless a wrapper further inside has said so."""
    if isinstance(item, str) or item.answered_by is not None:
        return item
    return item.model_copy(update={"answered_by": name})


def _given(
    tools: Sequence[Tool | ToolSchema],
    tool_choice: ToolChoice,
    json_output: JsonOutput,
    extra_create_args: Mapping[str, object],
    cancellation_token: CancellationToken | None,
) -> CreateOptions:
    options = CreateOptions()
    if tools != ():
        options["tools"] = tools
    if tool_choice != "auto":
        options["tool_choice"] = tool_choice
    if json_output is not None:
        options["json_output"] = json_output
    if extra_create_args:
        options["extra_create_args"] = extra_create_args
    if cancellation_token is not None:
        options["cancellation_token"] = cancellation_token
    return options


def _checked(call: ModelCall) -> ModelCall:
    check_messages(call.messages)
    check_list("The tools of a model", call.options.get("tools", ()))
    return call


def _common_abilities(infos: Sequence[ModelInfo]) -> ModelInfo:
    """What all can do; the family is that of the first."""
    if len(infos) == 1:
        return infos[0]
    common = infos[0].copy()
    common["vision"] = all(info["vision"] for info in infos)
    common["function_calling"] = all(info["function_calling"] for info in infos)
    common["json_output"] = all(info["json_output"] for info in infos)
    common["structured_output"] = all(info.get("structured_output", False) for info in infos)
    common["multiple_system_messages"] = all(info.get("multiple_system_messages", False) for info in infos)
    return common
