"""What holds for all wrappers: they nest in any order, are saved and loaded, and are inside of one effect."""

import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from tests.support.effect_recorder import EffectRecorder
from tests.support.journal import Journal
from tests.support.model_clients import ABLE, OPENAI, WRAPPERS, Wrapped, read
from tests.support.telemetry import Spans

from symposia.agentchat.agents import AssistantAgent
from symposia.agentchat.teams import SelectorGroupChat
from symposia.core.effects import handle_effects
from symposia.core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from symposia.ext.cache_store.diskcache import DiskCacheStore
from symposia.ext.cache_store.redis import RedisStore
from symposia.ext.models.cache import ChatCompletionCache
from symposia.ext.models.concurrency import ConcurrencyLimitedClient
from symposia.ext.models.fallback import FallbackClient
from symposia.ext.models.rate_limit import RateLimitedClient, RedisMeters
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.models.retry import RetryingClient
from symposia.ext.models.wrappers import ModelCall, ModelClientWrapper
from symposia.testing.model_server import Failure, MockModelServer, Reply

HELLO: list[LLMMessage] = [UserMessage(content="hello", source="user")]

LAYERS: dict[str, Callable[[ChatCompletionClient], ChatCompletionClient]] = {
    "retry": lambda client: RetryingClient(client, longest_wait=0.001),
    "limit": lambda client: RateLimitedClient(client, requests_per_minute=100_000),
    "cache": ChatCompletionCache,
    "fallback": lambda client: FallbackClient([client]),
    "concurrency": lambda client: ConcurrencyLimitedClient(client, 3),
}


def stack(order: Sequence[str], client: ChatCompletionClient) -> ChatCompletionClient:
    for name in reversed(order):
        client = LAYERS[name](client)
    return client


@pytest.mark.parametrize("order", [*permutations(["retry", "limit", "cache"]), tuple(LAYERS)], ids="-".join)
async def test_wrappers_nest_in_any_order(order: Sequence[str], server: MockModelServer) -> None:
    client = stack(order, OPENAI.client(server))
    server.script(Failure(status=503), Reply(text="one two"))
    assert (await client.create(HELLO)).content == "one two"
    assert (await read(client.create_stream(HELLO)))[1].content == "one two"
    assert len(server.requests) == 2


@pytest.mark.parametrize("wrapped", [each for each in WRAPPERS if each.name != "routing"], ids=lambda each: each.name)
async def test_all_else_is_that_of_the_client(wrapped: Wrapped, server: MockModelServer) -> None:
    inner = OPENAI.client(server, Reply(text="hi", usage=(30, 4)))
    client = wrapped.wrap(inner)
    await client.create(HELLO)
    assert client.model_info["function_calling"] == inner.model_info["function_calling"]
    assert client.total_usage() == client.actual_usage() == RequestUsage(30, 4)
    assert client.count_tokens(HELLO) == inner.count_tokens(HELLO)
    assert client.remaining_tokens(HELLO) <= inner.remaining_tokens(HELLO)
    if wrapped.name != "fallback":
        assert client.effect_identity() == inner.effect_identity()
        assert client.token_price == inner.token_price


@pytest.mark.parametrize("name", LAYERS)
async def test_a_wrapper_is_saved_with_its_client_and_loaded(name: str) -> None:
    client = LAYERS[name](ReplayChatCompletionClient(["two words"], ABLE))
    saved = client.dump_component()
    again = ChatCompletionClient.load_component(saved.model_dump())
    assert again.dump_component() == saved
    assert type(again) is type(client)
    assert (await again.create(HELLO)).content == "two words"


def test_what_a_wrapper_was_given_is_saved() -> None:
    inner = ReplayChatCompletionClient(["hi"])
    client = RetryingClient(
        RateLimitedClient(inner, requests_per_minute=60, name="saved", priority=2, meters=RedisMeters(password="x")),
        max_attempts=2,
    )
    config = client.dump_component().config
    assert config["max_attempts"] == 2
    limit = config["client"]["config"]
    assert (limit["requests_per_minute"], limit["name"], limit["priority"]) == (60, "saved", 2)
    assert limit["meters"]["config"]["password"] == "*" * 10


AUTOGENS: dict[str, Any] = {
    "provider": "autogen_ext.models.cache.ChatCompletionCache",
    "component_type": "chat_completion_cache",
    "version": 1,
    "component_version": 1,
    "config": {
        "client": {
            "provider": "autogen_ext.models.replay.ReplayChatCompletionClient",
            "component_type": "replay_chat_completion_client",
            "version": 1,
            "config": {"chat_completions": ["one two"]},
        },
    },
}


@pytest.mark.parametrize("kind", ["none", "disk", "redis"])
def test_the_component_of_autogens_cache_loads(kind: str, tmp_path: Any) -> None:
    stores: dict[str, dict[str, Any]] = {
        "disk": {
            "provider": "autogen_ext.cache_store.diskcache.DiskCacheStore",
            "config": {"directory": str(tmp_path)},
        },
        "redis": {
            "provider": "autogen_ext.cache_store.redis.RedisStore",
            "config": {"host": "localhost", "port": 6390, "db": 2, "ssl": False, "socket_timeout": 5.0},
        },
    }
    config = {**AUTOGENS["config"], **({"store": stores[kind]} if kind in stores else {})}
    client = ChatCompletionCache.load_component({**AUTOGENS, "config": config})
    saved = client.dump_component()
    assert saved.component_type == "chat_completion_cache"
    assert saved.config["client"]["config"] == {"chat_completions": ["one two"]}
    if kind in stores:
        store = saved.config["store"]
        assert store["config"] == stores[kind]["config"]
        assert store["provider"].removeprefix("symposia.ext") == stores[kind]["provider"].removeprefix("autogen_ext")
        assert isinstance(client._store, DiskCacheStore | RedisStore)  # noqa: SLF001 - nothing else shows it


async def test_a_call_is_one_effect_and_each_request_is_a_span(server: MockModelServer, spans: Spans) -> None:
    client = stack(list(LAYERS), OPENAI.client(server))
    server.script(Failure(status=503), Reply(text="one two"))
    recorder = EffectRecorder()
    with handle_effects(recorder):
        for streaming in (False, True):
            agent = AssistantAgent("writer", client, model_client_stream=streaming)
            assert (await agent.run(task="Write.")).messages[-1].to_text() == "one two"
    assert [effect.kind.name for effect in recorder.effects] == ["model", "model"]
    assert recorder.effects[0].request.client == {
        "class": "symposia.ext.models.fallback.FallbackClient",
        "clients": [OPENAI.client(server).effect_identity()],
    }
    assert spans.names.count("chat gpt-4o") == len(server.requests) == 2


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "fallback"])
async def test_a_journal_finds_its_records_again_when_a_wrapper_is_added(name: str) -> None:
    journal = Journal()

    async def run(client: ChatCompletionClient) -> str:
        with handle_effects(journal):
            return (await AssistantAgent("writer", client).run(task="Write.")).messages[-1].to_text()

    assert await run(ReplayChatCompletionClient(["recorded"])) == "recorded"
    journal.performed.clear()
    assert await run(LAYERS[name](ReplayChatCompletionClient(["another"]))) == "recorded"
    assert journal.performed == []


async def test_a_team_and_its_selector_use_a_wrapper(server: MockModelServer) -> None:
    client = stack(["retry", "limit", "concurrency"], OPENAI.client(server))
    server.script(Reply(text="one"), Reply(text="first"), Reply(text="two"), Reply(text="second"))
    agents = [AssistantAgent(name, client, description=name) for name in ("one", "two")]
    result = await SelectorGroupChat(agents, client, max_turns=2, allow_repeated_speaker=True).run(task="Go.")
    assert [message.source for message in result.messages[1:]] == ["one", "two"]


class Polite(ModelClientWrapper):
    """A program's own wrapper."""

    def answer(self, call: ModelCall) -> AsyncGenerator[str | CreateResult, None]:
        return replace(call, messages=[SystemMessage(content="Be polite."), *call.messages]).ask(self._client)


async def test_a_wrapper_of_a_program_is_one_method() -> None:
    inner = ReplayChatCompletionClient(["hi", "ho"])
    client = Polite(inner)
    assert (await client.create(HELLO)).content == "hi"
    assert (await read(client.create_stream(HELLO)))[1].content == "ho"
    assert all(call["messages"][0] == SystemMessage(content="Be polite.") for call in inner.create_calls)


LIBRARIES = """
import sys

sys.modules.update(dict.fromkeys(("tenacity", "redis", "diskcache")))  # not installed: importing one fails
import importlib.util

importlib.util.find_spec = lambda name, *_: None if name in ("tenacity", "redis", "diskcache") else 1
from symposia.core import CacheStore
from symposia.core.exceptions import MissingExtraError
from symposia.ext.cache_store.diskcache import DiskCacheStore
from symposia.ext.cache_store.redis import RedisStore
from symposia.ext.models.rate_limit import RedisMeters
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.models.retry import RetryingClient

disk = {"provider": "symposia.ext.cache_store.diskcache.DiskCacheStore", "config": {"directory": "x"}}
redis = {"provider": "symposia.ext.cache_store.redis.RedisStore", "config": {}}
for make in (
    lambda: RetryingClient(ReplayChatCompletionClient([])),
    RedisMeters,
    lambda: CacheStore.load_component(disk),
    lambda: CacheStore.load_component(redis),
):
    try:
        make()
    except MissingExtraError as error:
        print(error.extra)
"""


def test_a_library_that_is_not_installed_is_named_when_it_is_needed() -> None:
    done = subprocess.run([sys.executable, "-c", LIBRARIES], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["retry", "redis", "diskcache", "redis"]
