"""One entry of a configuration list as a model: requests in AutoGen 0.2's dictionaries, answers as OpenAI's objects.

The call itself is the effect of a model call, on a client of `symposia.ext.models`, so that journals, budgets, traces
and limits hold for it.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from symposia.core.models import (
    ChatCompletionClient,
    CreateOptions,
    CreateResult,
    LLMMessage,
    VendorBlocks,
    call_model,
    stream_model,
)
from symposia.v02._background_call import call_in_caller
from symposia.v02._background_loop import close_in_background, run_in_background
from symposia.v02._kept import Kept
from symposia.v02.io import IOStream
from symposia.v02.oai._completions import completion_of, retrieve
from symposia.v02.oai._messages import read_messages, read_tools
from symposia.v02.oai._settings import Config, request_of
from symposia.v02.oai._vendors import make_client, vendor_of
from symposia.v02.oai.client_utils import should_hide_tools

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion, ChatCompletionMessage

BY_CALL: Final = ("messages", "tools", "functions", "function_call", "tool_choice")
"""What belongs to one request; all else is an option of the client."""
KEPT: Final = 8
"""How many clients, one for each set of options, stay for the next request."""
REMEMBERED_ANSWERS: Final = 10_000
"""How many answers' data for their vendor are kept. Older ones go back without."""
GREEN: Final = "\033[32m"
PLAIN: Final = "\033[0m\n"


class VendorModel:
    """A model of a vendor, or of a server with OpenAI's format.

    Args:
        config: The entry, with what it shares with others.

    Attributes:
        is_openai: Whether requests are in OpenAI's format.

    Raises:
        MissingExtraError: The vendor's SDK is not installed.
        UsageError: The vendor's client does not take the configuration; also `openai.OpenAIError`.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.is_openai = vendor_of(config).is_openai
        end = _leave_open if config.get("http_client") is not None else _close
        self._clients = Kept[str, ChatCompletionClient](KEPT, end)
        close_in_background(self, self._clients.end_all)
        self._blocks: OrderedDict[str, VendorBlocks] = OrderedDict()
        if config.get("model") or config.get("azure_deployment"):  # else the request names the model
            arguments = _arguments_of(request_of(config))
            self._clients.keep(_key_of(arguments), make_client(config, arguments))

    def create(self, params: Config) -> ChatCompletion:
        """Ask the model, and wait in this thread."""
        return run_in_background(lambda: self.answer(params))

    async def answer(self, params: Config) -> ChatCompletion:
        """Ask the model.

        Args:
            params: The request: ``messages``, ``tools`` and others of OpenAI's API. With ``stream``, the answer is
                printed while it comes. For each of ``n`` choices the model is asked once.

        Raises:
            Exception: See `ChatCompletionClient.create`.
        """
        params = _with_shown_tools(params)
        messages = read_messages(params.get("messages") or (), self._blocks, links=self.is_openai)
        choices = range(params.get("n") or 1)
        async with self._client(params) as client:
            options = self._options(params, client)
            if params.get("stream"):
                results = [await _print_answer(client, messages, options) for _ in choices]
            else:
                results = await asyncio.gather(*(call_model(client, messages, **options) for _ in choices))
        self._remember(results)
        as_function = bool(params.get("functions")) and not params.get("tools")
        completion = completion_of(results, str(params.get("model")), as_function=as_function)
        prices = [result.usage.usd for result in results]
        completion.cost = None if None in prices else sum(cast("list[float]", prices))  # pyright: ignore[reportAttributeAccessIssue] - AutoGen's
        return completion

    def message_retrieval(self, response: ChatCompletion) -> list[str | ChatCompletionMessage]:
        """What an answer says: of each choice the text, or the message where that has calls."""
        return retrieve(response)

    def cost(self, response: ChatCompletion) -> float | None:
        """US dollars by the list price of the model; None where that is not known."""
        return getattr(response, "cost", None)

    @staticmethod
    def get_usage(response: ChatCompletion) -> dict[str, Any]:  # Any: numbers, and the model's name
        """The tokens of an answer."""
        usage = response.usage
        return {
            "prompt_tokens": usage.prompt_tokens if usage else 0,
            "completion_tokens": usage.completion_tokens if usage else 0,
            "total_tokens": usage.total_tokens if usage else 0,
            "cost": getattr(response, "cost", None) or 0,
            "model": response.model,
        }

    @asynccontextmanager
    async def _client(self, params: Config) -> AsyncGenerator[ChatCompletionClient]:
        """The client with the options of a request. Most programs have the same ones in all."""
        arguments = _arguments_of(params)
        key = _key_of(arguments)
        client = self._clients.take(key) or self._clients.add(key, make_client(self._config, arguments))
        try:
            yield client
        finally:
            await self._clients.give_back(key)

    def _options(self, params: Config, client: ChatCompletionClient) -> CreateOptions:
        if self.is_openai and not self._has_blocks(params) and _is_current(params) and not _takes_responses(client):
            # What the program wrote goes to the server as it is.
            written = {name: params[name] for name in BY_CALL if params.get(name) not in (None, [])}
            return {"tools": read_tools(params), "extra_create_args": written}
        tools, choice = read_tools(params), params.get("tool_choice") or params.get("function_call") or "auto"
        if isinstance(choice, Mapping):  # the name of the one tool that is to be called
            chosen = cast("Config", choice)
            name = chosen.get("function", chosen)["name"]
            tools, choice = [tool for tool in tools if tool["name"] == name], "required"
        return {"tools": tools, "tool_choice": choice if tools else "auto"}

    def _has_blocks(self, params: Config) -> bool:
        return any(
            call.get("id") in self._blocks
            for message in params.get("messages") or ()
            for call in message.get("tool_calls") or ()
        )

    def _remember(self, results: Sequence[CreateResult]) -> None:
        for result in results:
            if result.vendor_blocks and not isinstance(result.content, str):
                self._blocks[result.content[0].id] = result.vendor_blocks
        while len(self._blocks) > REMEMBERED_ANSWERS:
            self._blocks.popitem(last=False)


async def _close(client: ChatCompletionClient) -> None:
    await client.close()


async def _leave_open(_: ChatCompletionClient) -> None:
    """The HTTP client is the program's: others use it, and the program closes it."""


def _arguments_of(params: Config) -> Config:
    return {name: value for name, value in params.items() if name not in {*BY_CALL, "stream", "n", "hide_tools"}}


def _with_shown_tools(params: Config) -> Config:
    """A request without the tools that its `hide_tools` hides from the model."""
    when, messages = params.get("hide_tools"), params.get("messages") or ()
    if when is None or not should_hide_tools(messages, params.get("tools"), when):
        return params
    return {name: value for name, value in params.items() if name not in {"tools", "tool_choice"}}


def _key_of(arguments: Config) -> str:
    return json.dumps(arguments, sort_keys=True, default=id)


async def _print_answer(
    client: ChatCompletionClient, messages: Sequence[LLMMessage], options: CreateOptions
) -> CreateResult:
    stream = IOStream.get_default()
    result: CreateResult | None = None
    await call_in_caller(lambda: stream.print(GREEN, end=""))
    try:
        async with aclosing(stream_model(client, messages, **options)) as items:
            async for item in items:
                if isinstance(item, str):
                    await call_in_caller(lambda text=item: stream.print(text, end="", flush=True))
                else:
                    result = item
    finally:
        await call_in_caller(lambda: stream.print(PLAIN))
    return cast("CreateResult", result)  # the last item is one


def _is_current(params: Config) -> bool:
    """Whether a request has tools, and no functions, which are what tools were called before."""
    return not params.get("functions") and not any(
        message.get("function_call") or message.get("role") == "function" for message in params.get("messages") or ()
    )


def _takes_responses(client: ChatCompletionClient) -> bool:
    arguments = client.effect_identity().get("arguments")
    return isinstance(arguments, Mapping) and arguments.get("api") == "responses"
