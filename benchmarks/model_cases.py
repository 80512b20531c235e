"""Calls of a model through one library, whose HTTP client answers in the process, without sockets.

    python model_cases.py LIBRARY VENDOR ANSWERS      prints one JSON object: figure name to number

ANSWERS is a file with the vendor's whole answer and the pieces of its streamed one, as `models.py` writes it. Every
library here sends through httpx or httpx2, whose transport is replaced, so all have the same answers. Times are of the
processor, so that other programs of the machine do not count.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import logging
import statistics
import sys
import time
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

LENGTHS = (1, 100, 1_000)
SECONDS = 0.6
"""Of the processor, for the calls of one length."""
FEWEST = 5
CONCURRENT = 1_000
WAIT = 0.05
"""Seconds that a model takes for each of the concurrent calls."""

MODELS = {
    "openai": "gpt-4.1",
    "openai-responses": "gpt-5.5",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-flash",
    "ollama": "llama3.2",
}
"""Models without conditions of their own, which all the libraries know."""

clock = time.process_time
wait = 0.0


class Caller(Protocol):
    """A library's way to call a model. Messages are of the library's own type, and made before the clock runs."""

    def message(self, number: int) -> object:
        """A message of the user, or for odd numbers of the model."""
        ...

    async def call(self, messages: Sequence[Any], /) -> object:
        """Ask the model, and wait for the whole answer."""
        ...

    def stream(self, messages: Sequence[Any], /) -> AsyncIterator[object]:
        """Ask the model, and give the pieces of the answer."""
        ...


def text(number: int) -> str:
    return f"{number}: {'a few words of a message ' * 8}"


def role(number: int, model: str = "assistant") -> str:
    return model if number % 2 else "user"


# The libraries -------------------------------------------------------------------------------------------------------


class Framework:
    """Symposia, or AutoGen with the same names."""

    def __init__(self, root: str, clients: str, name: str, model: str) -> None:
        self._models = importlib.import_module(root + ".models")
        options: dict[str, Any] = {"host": "http://localhost"} if "ollama" in clients else {"api_key": "none"}
        self._client = getattr(importlib.import_module(clients), name)(model=model, **options)

    def message(self, number: int) -> object:
        kind = self._models.AssistantMessage if number % 2 else self._models.UserMessage
        return kind(content=text(number), source=role(number))

    async def call(self, messages: Sequence[Any]) -> object:
        return await self._client.create(messages)

    def stream(self, messages: Sequence[Any]) -> AsyncIterator[object]:
        return self._client.create_stream(messages)


class Plain:
    """A library that takes messages as dictionaries.

    Args:
        call: Its function.
        field: The argument of the messages.
        more: The other arguments.
        stream: Its function for streams; without one, `call` has an argument for it.
    """

    def __init__(
        self, call: Callable[..., Any], field: str, *, stream: Callable[..., Any] | None = None, **more: object
    ) -> None:
        self._call = call
        self._field = field
        self._stream = stream or partial(call, stream=True)
        self._more = more

    def message(self, number: int) -> object:
        return {"role": role(number), "content": text(number)}

    async def call(self, messages: Sequence[Any]) -> object:
        return await self._call(**{self._field: messages}, **self._more)

    async def stream(self, messages: Sequence[Any]) -> AsyncIterator[object]:
        async for piece in await self._stream(**{self._field: messages}, **self._more):
            yield piece


class PlainGoogle(Plain):
    def message(self, number: int) -> object:
        return {"role": role(number, "model"), "parts": [{"text": text(number)}]}


def sdk(vendor: str, model: str) -> Caller:
    """The vendor's own SDK, by its documented methods."""
    match vendor:
        case "openai":
            client = importlib.import_module("openai").AsyncOpenAI(api_key="none")
            return Plain(client.chat.completions.create, "messages", model=model)
        case "openai-responses":
            client = importlib.import_module("openai").AsyncOpenAI(api_key="none")
            return Plain(client.responses.create, "input", model=model)
        case "anthropic":
            client = importlib.import_module("anthropic").AsyncAnthropic(api_key="none")
            return Plain(client.messages.create, "messages", model=model, max_tokens=1_000)
        case "gemini":
            http = importlib.import_module("httpx2").AsyncClient()  # left to itself, it sends through aiohttp
            options = {"httpx_async_client": http}
            models = importlib.import_module("google.genai").Client(api_key="none", http_options=options).aio.models
            return PlainGoogle(models.generate_content, "contents", stream=models.generate_content_stream, model=model)
        case _:
            client = importlib.import_module("ollama").AsyncClient(host="http://localhost")
            return Plain(client.chat, "messages", model=model)


SYMPOSIA = {
    "openai": ("openai", "OpenAIChatCompletionClient"),
    "openai-responses": ("openai", "OpenAIResponsesClient"),
    "anthropic": ("anthropic", "AnthropicChatCompletionClient"),
    "gemini": ("gemini", "GeminiChatCompletionClient"),
    "ollama": ("ollama", "OllamaChatCompletionClient"),
}


def symposia(vendor: str, model: str) -> Caller:
    module, name = SYMPOSIA[vendor]
    return Framework("symposia.core", f"symposia.ext.models.{module}", name, model)


def autogen(_vendor: str, model: str) -> Caller:
    return Framework("autogen_core", "autogen_ext.models.openai", "OpenAIChatCompletionClient", model)


def litellm(_vendor: str, model: str) -> Caller:
    library: Any = importlib.import_module("litellm")
    library.disable_aiohttp_transport = True
    return Plain(library.acompletion, "messages", model=f"openai/{model}", api_key="none")


class PydanticAI:
    def __init__(self, _vendor: str, model: str) -> None:
        self._messages = importlib.import_module("pydantic_ai.messages")
        self._direct = importlib.import_module("pydantic_ai.direct")
        provider = importlib.import_module("pydantic_ai.providers.openai").OpenAIProvider(api_key="none")
        self._model = importlib.import_module("pydantic_ai.models.openai").OpenAIChatModel(model, provider=provider)

    def message(self, number: int) -> object:
        if number % 2:
            return self._messages.ModelResponse(parts=[self._messages.TextPart(content=text(number))])
        return self._messages.ModelRequest(parts=[self._messages.UserPromptPart(content=text(number))])

    async def call(self, messages: Sequence[Any]) -> object:
        return await self._direct.model_request(self._model, messages)

    async def stream(self, messages: Sequence[Any]) -> AsyncIterator[object]:
        async with self._direct.model_request_stream(self._model, messages) as pieces:
            async for piece in pieces:
                yield piece


LIBRARIES: dict[str, Callable[[str, str], Caller]] = {
    "sdk": sdk,
    "symposia": symposia,
    "autogen": autogen,
    "litellm": litellm,
    "pydantic-ai": PydanticAI,
}

# The answers ---------------------------------------------------------------------------------------------------------


def answer_in_process(library: Any, answers: dict[str, Any]) -> None:
    """Have all requests of an HTTP library answered here."""

    class Pieces(library.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

    pieces = [piece.encode() for piece in answers["pieces"]]
    whole = answers["whole"].encode()

    async def handle(_: object, request: Any) -> Any:
        path, content = request.url.path, await request.aread()
        if wait:
            await asyncio.sleep(wait)
        # The fields that ask for a stream stand at an end of the body, which may be long.
        ends = (content[:200] + content[-200:]).replace(b" ", b"")
        if "streamGenerate" in path or b'"stream":true' in ends:
            return library.Response(200, headers={"content-type": answers["type"]}, stream=Pieces())
        return library.Response(200, headers={"content-type": "application/json"}, content=whole)

    library.AsyncHTTPTransport.handle_async_request = handle


# The figures ---------------------------------------------------------------------------------------------------------


async def time_of_call(caller: Caller, length: int) -> float:
    """Seconds of a call in a conversation, which two messages are added to before each."""
    messages = [caller.message(number) for number in range(length)]
    await caller.call(messages)
    times: list[float] = []
    while sum(times) < SECONDS or len(times) < FEWEST:
        if length > 1:
            messages = [*messages, caller.message(len(messages)), caller.message(len(messages) + 1)]
        started = clock()
        await caller.call(messages)
        times.append(clock() - started)
        if len(messages) > length * 1.2:
            messages = messages[:length]
    return statistics.median(times)


async def time_of_piece(caller: Caller, pieces: int) -> float:
    """Seconds of a piece of a stream."""
    messages = [caller.message(0)]
    times: list[float] = []
    while sum(times) < SECONDS or len(times) < FEWEST:
        started = clock()
        async for _ in caller.stream(messages):
            pass
        times.append(clock() - started)
    return statistics.median(times) / pieces


async def time_of_concurrent_call(caller: Caller) -> float:
    """Seconds of one of many concurrent calls, each of its own conversation of ten messages."""
    global wait  # noqa: PLW0603 - the program's one setting
    conversations = [[caller.message(number) for number in range(10)] for _ in range(CONCURRENT)]
    wait = WAIT
    gc.collect()
    started = clock()
    await asyncio.gather(*(caller.call(messages) for messages in conversations))
    return (clock() - started) / CONCURRENT


async def figures(caller: Caller, pieces: int) -> dict[str, float]:
    named = {
        f"a call with {length:,} message{'s' * (length > 1)}": await time_of_call(caller, length) for length in LENGTHS
    }
    named["a chunk"] = await time_of_piece(caller, pieces)
    named[f"one of {CONCURRENT:,} calls at once"] = await time_of_concurrent_call(caller)
    return named


def main() -> None:
    library, vendor, file = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    answers = json.loads(Path(file).read_text())
    caller = LIBRARIES[library](vendor, MODELS[vendor])
    for name in ("httpx", "httpx2"):
        if name in sys.modules:
            answer_in_process(sys.modules[name], answers)
    print(json.dumps(asyncio.run(figures(caller, len(answers["pieces"])))))


if __name__ == "__main__":
    main()
