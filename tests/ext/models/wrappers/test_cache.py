"""The client that keeps answers."""

import asyncio
import gc
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import diskcache  # pyright: ignore[reportMissingTypeStubs] - it has none
import pytest
import redis
from pydantic import BaseModel
from tests.support.model_clients import ABLE, ADD, ANTHROPIC, FORMATS, OPENAI, Vendor, kind_name, read

from symposia.agentchat.agents import AssistantAgent
from symposia.core import CacheStore, CancellationToken, FunctionCall, Image, InMemoryStore, run_in_worker_thread
from symposia.core.exceptions import ModelError
from symposia.core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from symposia.core.tools import FunctionTool
from symposia.ext.cache_store.diskcache import DiskCacheStore
from symposia.ext.cache_store.redis import RedisStore
from symposia.ext.models.cache import CHAT_CACHE_VALUE_TYPE, ChatCompletionCache
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.testing.model_server import Failure, Hold, MockModelServer, Reply, ToolCall
from symposia.testing.simulation import simulated

HELLO: list[LLMMessage] = [UserMessage(content="hello", source="user")]
PAID = {"cached": True, "usage": {"usd"}}
"""The fields in which a hit differs."""
Store = CacheStore[CHAT_CACHE_VALUE_TYPE]


def replaying(*answers: str | CreateResult | Exception) -> ReplayChatCompletionClient:
    client = ReplayChatCompletionClient(list(answers), ABLE)  # pyright: ignore[reportArgumentType] - any of these
    client.set_cached_bool_value(False)
    return client


databases = count(1)
"""Each test has one of its own."""


@pytest.fixture(params=["memory", "disk", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "disk":
        return DiskCacheStore(diskcache.Cache(tmp_path))
    if request.param == "redis":
        return RedisStore(redis.Redis(port=request.getfixturevalue("redis_port"), db=next(databases)))
    return InMemoryStore()


async def test_an_equal_request_is_answered_by_the_store(store: Store) -> None:
    inner = replaying("two words", "no")
    client = ChatCompletionCache(inner, store)
    first, second = await client.create(HELLO), await client.create([UserMessage(content="hello", source="user")])
    assert (first.content, first.cached, second.content, second.cached) == ("two words", False, "two words", True)
    assert first.usage == second.usage == RequestUsage(1, 2)
    assert client.actual_usage() == client.total_usage() == inner.total_usage() == RequestUsage(1, 2)
    again = ChatCompletionCache(replaying("two words", "no"), store)  # another process, with an equal client
    assert (await again.create(HELLO)).cached
    assert len(inner.create_calls) == 1


async def test_a_stream_is_kept_with_its_pieces(store: Store) -> None:
    client = ChatCompletionCache(replaying("two words"), store)
    first, result = await read(client.create_stream(HELLO))
    again, hit = await read(client.create_stream(HELLO))
    assert first == again == ["two ", "words"]
    assert (result.cached, hit.cached, (await client.create(HELLO)).content) == (False, True, "two words")


async def test_a_whole_answer_is_streamed_as_one_piece(store: Store) -> None:
    client = ChatCompletionCache(replaying("two words"), store)
    await client.create(HELLO)
    pieces, result = await read(client.create_stream(HELLO))
    assert (pieces, result.content, result.cached) == (["two words"], "two words", True)


@pytest.mark.parametrize("vendor", FORMATS, ids=kind_name)
async def test_tool_calls_come_back_as_they_were(vendor: Vendor, server: MockModelServer, store: Store) -> None:
    call = ToolCall(id="call_1", name="add", arguments='{"a": 1}')
    client = ChatCompletionCache(vendor.client(server, Reply(text="Let me add.", tool_calls=(call,))), store)
    first = await client.create(HELLO, tools=[ADD])
    second = await client.create(HELLO, tools=[ADD])
    assert second.model_dump(exclude=PAID) == first.model_dump(exclude=PAID)
    assert second.content == [FunctionCall(id="call_1", name="add", arguments='{"a": 1}')]


class River(BaseModel):
    name: str


class Lake(BaseModel):
    name: str
    depth: int


def add(a: int, b: int) -> int:
    return a + b


TOOL = FunctionTool(add, "Adds.", name="add")
OTHER_TOOL = FunctionTool(add, "Adds numbers.", name="add")

DIFFERENT: dict[str, Callable[[ChatCompletionClient], Any]] = {
    "nothing": lambda client: client.create(HELLO),
    "text": lambda client: client.create([UserMessage(content="hallo", source="user")]),
    "source": lambda client: client.create([UserMessage(content="hello", source="other")]),
    "kind": lambda client: client.create([SystemMessage(content="hello")]),
    "order": lambda client: client.create([*HELLO, SystemMessage(content="x")]),
    "order again": lambda client: client.create([SystemMessage(content="x"), *HELLO]),
    "parts": lambda client: client.create([UserMessage(content=["hello"], source="user")]),
    "two parts": lambda client: client.create([UserMessage(content=["hel", "lo"], source="user")]),
    "tool": lambda client: client.create(HELLO, tools=[TOOL]),
    "its description": lambda client: client.create(HELLO, tools=[OTHER_TOOL]),
    "choice": lambda client: client.create(HELLO, tools=[TOOL], tool_choice="required"),
    "the tool of the choice": lambda client: client.create(HELLO, tools=[TOOL], tool_choice=TOOL),
    "JSON": lambda client: client.create(HELLO, json_output=True),
    "no JSON": lambda client: client.create(HELLO, json_output=False),
    "schema": lambda client: client.create(HELLO, json_output=River),
    "other schema": lambda client: client.create(HELLO, json_output=Lake),
    "arguments": lambda client: client.create(HELLO, extra_create_args={"seed": 1}),
    "other arguments": lambda client: client.create(HELLO, extra_create_args={"seed": True}),
    "thought": lambda client: client.create([AssistantMessage(content="hello", source="a", thought="t")]),
    "blocks": lambda client: client.create(
        [AssistantMessage(content="hello", source="a", thought="t", vendor_blocks={"x": [{"signature": "1"}]})]
    ),
    "half a surrogate pair": lambda client: client.create([UserMessage(content="\ud83d", source="user")]),
    "the other half": lambda client: client.create([UserMessage(content="\ude00", source="user")]),
}


async def test_everything_that_decides_the_answer_is_in_the_key() -> None:
    client = ChatCompletionCache(replaying(*map(str, range(len(DIFFERENT)))))
    first = [await ask(client) for ask in DIFFERENT.values()]
    assert [result.content for result in first] == [str(number) for number in range(len(DIFFERENT))]
    again = [await ask(client) for ask in DIFFERENT.values()]
    assert [(result.content, result.cached) for result in again] == [(result.content, True) for result in first]


async def test_pictures_are_in_the_key() -> None:
    red = Image.from_base64(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
    )
    blue = Image.from_base64(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYPgPAAEDAQAIicLsAAAAAElFTkSuQmCC"
    )
    client = ChatCompletionCache(replaying("red", "blue"))
    answers = [await client.create([UserMessage(content=[image], source="user")]) for image in (red, blue, red, blue)]
    assert [answer.content for answer in answers] == ["red", "blue", "red", "blue"]


async def test_f48_models_that_share_a_cache_never_answer_for_each_other(server: MockModelServer, store: Store) -> None:
    openai, anthropic = OPENAI, ANTHROPIC

    def clients() -> list[ChatCompletionClient]:
        options: list[dict[str, Any]] = [{"model": "gpt-4o-mini"}, {}, {"temperature": 1}]
        inner = [*(openai.client(server, **each) for each in options), anthropic.client(server), openai.client(server)]
        return [ChatCompletionCache(each, store) for each in inner]

    server.script(*(Reply(text=text) for text in ("small", "large", "warm", "claude")))
    answers = [(await client.create(HELLO)).content for client in clients()]
    assert answers == ["small", "large", "warm", "claude", "large"]
    assert [(await client.create(HELLO)).content for client in clients()] == answers


class Anonymous(ReplayChatCompletionClient):
    """Says nothing of the model that it asks, and cannot be saved."""


async def test_f48_a_client_that_does_not_say_which_model_it_asks_shares_with_no_other(tmp_path: Path) -> None:
    store: Store = DiskCacheStore(diskcache.Cache(tmp_path))
    with pytest.warns(UserWarning, match="Anonymous does not say which model it asks"):
        one = ChatCompletionCache(Anonymous(lambda _: "one"), store)
    with pytest.warns(UserWarning, match="Give the class a method effect_identity"):
        two = ChatCompletionCache(Anonymous(lambda _: "two"), store)
    for _ in range(2):
        assert ((await one.create(HELLO)).content, (await two.create(HELLO)).content) == ("one", "two")
    assert (await one.create(HELLO)).cached


async def test_a_hit_shares_nothing_that_can_be_changed() -> None:
    call = FunctionCall(id="1", name="add", arguments="{}")
    blocks: dict[str, list[dict[str, object]]] = {"x": [{"signature": "1"}]}
    answer = CreateResult(
        finish_reason="function_calls", content=[call], usage=RequestUsage(1, 1), cached=False, vendor_blocks=blocks
    )
    client = ChatCompletionCache(replaying(answer.model_copy(deep=True)))
    for _ in range(3):
        result = await client.create(HELLO)
        assert result.model_dump(exclude={"cached"}) == answer.model_dump(exclude={"cached"})
        assert isinstance(result.content, list)
        result.content.clear()
        result.usage.prompt_tokens = 99
        assert result.vendor_blocks is not None
        result.vendor_blocks["x"].clear()


async def test_errors_are_not_kept() -> None:
    client = ChatCompletionCache(replaying(ModelError("down"), "up"))
    with pytest.raises(ModelError):
        await client.create(HELLO)
    assert (await client.create(HELLO)).content == "up"


async def test_a_stream_that_breaks_or_is_left_is_not_kept(server: MockModelServer) -> None:
    inner = OPENAI.client(server, Reply(text="one two three four", cut_after=5), Reply(text="one two"), Reply(text="x"))
    client = ChatCompletionCache(inner)
    with pytest.raises(ModelError):
        await read(client.create_stream(HELLO))
    stream = client.create_stream(HELLO)
    assert await anext(stream) == "one"
    await stream.aclose()
    assert (await read(client.create_stream(HELLO)))[1].content in {"x", "one two"}


class RememberedKeys(InMemoryStore[CHAT_CACHE_VALUE_TYPE]):
    """Remembers its keys."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: set[str] = set()

    def set(self, key: str, value: CHAT_CACHE_VALUE_TYPE) -> None:
        self.keys.add(key)
        super().set(key, value)


FOREIGN: list[object] = [
    "not JSON",
    "[]",
    "{}",
    "null",
    '["text alone"]',
    '[1, {"finish_reason": "stop"}]',
    b"\x80\x05pickle",
    42,
    {"finish_reason": "stop"},
    [{"piece": 1}, "text"],
]


@pytest.mark.parametrize("value", FOREIGN, ids=str)
async def test_an_entry_that_is_not_an_answer_is_a_miss_with_a_warning(value: Any) -> None:
    store = RememberedKeys()
    client = ChatCompletionCache(replaying("first", "second"), store)
    await client.create(HELLO)
    (key,) = store.keys
    store.set(key, value)
    with pytest.warns(UserWarning, match="The cache has an entry that it cannot read, and asks the model") as caught:
        assert (await client.create(HELLO)).content == "second"
    assert len(caught) == 1
    assert (await client.create(HELLO)).cached


RESULT = CreateResult(finish_reason="stop", content="kept", usage=RequestUsage(1, 1), cached=False)


@pytest.mark.parametrize(
    "value",
    [
        RESULT,
        ["ke", "pt", RESULT],
        RESULT.model_dump(mode="json"),
        ["ke", "pt", RESULT.model_dump(mode="json")],
        RESULT.model_dump_json(),
    ],
    ids=["result", "list", "dict", "dict in a list", "text"],
)
async def test_the_values_of_autogens_stores_are_answers(value: Any) -> None:
    class Kept(InMemoryStore[Any]):
        def get(self, key: str, default: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
            return value

    client = ChatCompletionCache(replaying(), Kept())
    result = await client.create(HELLO)
    assert (result.content, result.cached) == ("kept", True)
    assert (await read(client.create_stream(HELLO)))[0] == (["ke", "pt"] if isinstance(value, list) else ["kept"])
    assert RESULT.cached is False


class BrokenStore(CacheStore[CHAT_CACHE_VALUE_TYPE]):
    """Its server is gone."""

    def get(self, key: str, default: CHAT_CACHE_VALUE_TYPE | None = None) -> CHAT_CACHE_VALUE_TYPE | None:
        raise ConnectionError("no server")

    def set(self, key: str, value: CHAT_CACHE_VALUE_TYPE) -> None:
        raise ConnectionError("no server")


async def test_without_its_store_the_model_is_asked() -> None:
    client = ChatCompletionCache(replaying("one", "two"), BrokenStore())
    for expected in ("one", "two"):
        with pytest.warns(UserWarning, match=r"cannot (read|keep an answer in) its store.*no server") as caught:
            assert (await client.create(HELLO)).content == expected
        assert len(caught) == 2


PROCESS = """
import asyncio, sys, warnings
import diskcache
from symposia.core.models import CreateResult, RequestUsage, UserMessage
from symposia.ext.cache_store.diskcache import DiskCacheStore
from symposia.ext.models.cache import ChatCompletionCache
from symposia.ext.models.replay import ReplayChatCompletionClient

asked = 0

class Model(ReplayChatCompletionClient):
    def effect_identity(self):
        return {"class": "Model"}

async def answer(messages):
    global asked
    asked += 1
    text = messages[-1].content * 10_000
    return CreateResult(finish_reason="stop", content=text, usage=RequestUsage(1, 1), cached=False)

async def ask(client, text):
    result = await client.create([UserMessage(content=text, source="user")])
    assert result.content == text * 10_000
    return result.cached

async def main():
    client = ChatCompletionCache(Model(answer), DiskCacheStore(diskcache.Cache(sys.argv[1])))
    BODY
    await client.close()

asyncio.run(main())
"""

FULL_DISK = """import resource
    await ask(client, "first")
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, usual[1]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for n in range(20):
            await ask(client, str(n))
    assert {type(each.message) for each in caught} == {UserWarning} and len(caught) == 20, caught
    assert await ask(client, "first")
    resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    await ask(client, "last")
    print(await ask(client, "last"))"""

TWO_PROCESSES = """for _ in range(2):
        await asyncio.gather(*(ask(client, str(n)) for n in range(60)))
    print(asked <= 60)"""


def run(body: str, folder: Path, processes: int) -> None:
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", PROCESS.replace("BODY", body)]
    running = [
        subprocess.Popen([*command, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    for each in running:
        assert each.communicate(timeout=60) == ("True\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit of the size of files")
def test_a_disk_that_is_full_costs_no_answer(tmp_path: Path) -> None:
    run(FULL_DISK, tmp_path, 1)


def test_processes_share_a_folder(tmp_path: Path) -> None:
    run(TWO_PROCESSES, tmp_path, 2)


async def test_a_slow_store_leaves_worker_threads_to_others() -> None:
    reading = threading.Semaphore(0)
    slow = threading.Event()

    class Slow(BrokenStore):
        def get(self, key: str, default: Any = None) -> Any:
            reading.release()
            slow.wait(30)
            return default

        def set(self, key: str, value: Any) -> None:
            """Keeps nothing."""

    client = ChatCompletionCache(Counting(), Slow())
    async with asyncio.timeout(30):
        calls = [asyncio.create_task(client.create([*HELLO] * n)) for n in range(1, 100)]
        await run_in_worker_thread(reading.acquire)
        assert await run_in_worker_thread(lambda: "done") == "done"
        slow.set()
        assert len(await asyncio.gather(*calls)) == 99


@pytest.mark.parametrize("streaming", [False, True])
async def test_equal_requests_at_the_same_time_ask_once(server: MockModelServer, store: Store, streaming: bool) -> None:
    hold = Hold()
    client = ChatCompletionCache(OPENAI.client(server, Reply(text="one two", usage=(5, 2), hold=hold)), store)

    async def ask() -> CreateResult:
        return (await read(client.create_stream(HELLO)))[1] if streaming else await client.create(HELLO)

    async with asyncio.timeout(20):
        asking = [asyncio.create_task(ask()) for _ in range(20)]
        await hold.reached.wait()
        hold.release.set()
        results = await asyncio.gather(*asking)
    assert [result.content for result in results] == ["one two"] * 20
    assert [result.cached for result in results].count(False) == len(server.requests) == 1
    assert client.total_usage() == RequestUsage(5, 2)
    paid = [result.usage.usd for result in results if result.usage.usd]
    assert paid == [client.total_usage().usd]


async def test_the_runs_of_an_agent_cost_what_was_paid(server: MockModelServer, store: Store) -> None:
    client = ChatCompletionCache(OPENAI.client(server, Reply(text="one", usage=(500, 20))), store)
    first, second = [await AssistantAgent("a", client).run(task="Hello") for _ in range(2)]
    assert first.usage == second.usage == RequestUsage(500, 20)
    assert (first.usage.usd, second.usage.usd) == (client.total_usage().usd, 0.0)
    assert first.usage.usd
    assert second.usage.unpriced_tokens == 0


async def test_a_caller_that_leaves_does_not_take_the_answer_from_the_others(server: MockModelServer) -> None:
    hold = Hold()
    client = ChatCompletionCache(OPENAI.client(server, Reply(text="hi", hold=hold)))
    token = CancellationToken()
    async with asyncio.timeout(10):
        first = asyncio.create_task(client.create(HELLO, cancellation_token=token))
        second = asyncio.create_task(client.create(HELLO))
        third = asyncio.create_task(client.create(HELLO))
        await hold.reached.wait()
        token.cancel()
        third.cancel()
        await asyncio.wait([first, third])
        assert first.cancelled()
        assert third.cancelled()
        hold.release.set()
        assert (await second).content == "hi"
    assert len(server.requests) == 1


async def test_the_last_caller_that_leaves_ends_the_request(server: MockModelServer) -> None:
    hold = Hold()
    client = ChatCompletionCache(OPENAI.client(server, Reply(text="hi", hold=hold), Reply(text="ho")))
    async with asyncio.timeout(10):
        asking = [asyncio.create_task(client.create(HELLO)) for _ in range(3)]
        await hold.reached.wait()
        for each in asking:
            each.cancel()
        await asyncio.wait(asking)
        await server.requests[0].disconnected.wait()
        assert (await client.create(HELLO)).content == "ho"


async def test_the_same_question_inside_of_its_own_stream_does_not_wait_for_itself(server: MockModelServer) -> None:
    client = ChatCompletionCache(OPENAI.client(server, Reply(text="one two three")))
    async with asyncio.timeout(10):
        async for item in client.create_stream(HELLO):
            if item == "one":
                assert (await client.create(HELLO)).content == "one two three"
    assert len(server.requests) == 1


async def test_callers_of_a_request_that_fails_all_get_the_error(server: MockModelServer) -> None:
    client = ChatCompletionCache(OPENAI.client(server))
    server.script(Failure(status=500), Reply(text="hi"))
    outcomes = await asyncio.gather(*(client.create(HELLO) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(outcome, ModelError) for outcome in outcomes)
    assert (await client.create(HELLO)).content == "hi"


def test_each_event_loop_asks_for_itself_and_all_share_the_store() -> None:
    inner = ReplayChatCompletionClient(["hi"] * 40)
    client = ChatCompletionCache(inner)
    answers: list[object] = []

    async def ask() -> None:
        answers.extend([result.content for result in await asyncio.gather(*(client.create(HELLO) for _ in range(10)))])

    threads = [threading.Thread(target=lambda: asyncio.run(ask())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["hi"] * 40
    assert 1 <= len(inner.create_calls) <= 4


class Counting(ReplayChatCompletionClient):
    """Answers with the number of messages."""

    def __init__(self) -> None:
        super().__init__(lambda messages: str(len(messages)))
        self.set_cached_bool_value(False)


async def test_the_messages_of_long_conversations_are_found_again_when_they_grow() -> None:
    client = ChatCompletionCache(Counting(), InMemoryStore())
    messages: list[LLMMessage] = []
    for number in range(30):
        messages += [UserMessage(content=f"{number}", source="u"), AssistantMessage(content="yes", source="a")]
        assert (await client.create(messages)).content == str(len(messages))
    fresh = [message.model_copy() for message in messages]
    for length in (60, 2, 30, 58):
        assert (await client.create(fresh[:length])).cached
    fresh[0] = UserMessage(content="another beginning", source="u")
    assert not (await client.create(fresh)).cached
    swapped = [*messages[:40], messages[41], messages[40], *messages[42:]]
    assert not (await client.create(swapped)).cached


@simulated(seeds=range(40))
async def test_whoever_stays_is_answered_however_others_come_and_go() -> None:
    asked: Counter[str] = Counter()

    async def answer(messages: Sequence[LLMMessage]) -> str:
        text = str(messages[-1].content)
        asked[text] += 1
        await asyncio.sleep(random.random())
        if asked[text] == 1 and random.random() < 0.2:
            raise ModelError("down")
        return f"answer to {text}"

    client = ChatCompletionCache(ReplayChatCompletionClient(answer))
    left: set[int] = set()

    async def ask(number: int) -> None:
        question = [UserMessage(content=f"{number % 3}", source="user")]
        token = CancellationToken()
        if random.random() < 0.3:
            left.add(number)
            asyncio.get_running_loop().call_later(random.random(), token.cancel)
        await asyncio.sleep(random.random())
        if number % 2:
            pieces, result = await read(client.create_stream(question, cancellation_token=token))
            assert "".join(pieces) == result.content
        else:
            result = await client.create(question, cancellation_token=token)
        assert result.content == f"answer to {number % 3}"

    outcomes = await asyncio.gather(*(ask(number) for number in range(30)), return_exceptions=True)
    for number, outcome in enumerate(outcomes):
        assert outcome is None or isinstance(outcome, ModelError) or number in left, outcome
        assert outcome is None or isinstance(outcome, ModelError | asyncio.CancelledError), outcome
    before = asked.total()
    await asyncio.gather(*(client.create([UserMessage(content=f"{n}", source="user")]) for n in range(3)))
    assert asked.total() - before <= 3
    assert not [task for task in asyncio.all_tasks() if "Flight" in repr(task)]


async def test_an_agent_is_answered_from_the_cache() -> None:
    inner = replaying("first", "second")
    client = ChatCompletionCache(inner)
    for streaming in (False, True):
        agent = AssistantAgent("writer", client, model_client_stream=streaming)
        result = await agent.run(task="Write.")
        assert result.messages[-1].to_text() == "first"
    assert len(inner.create_calls) == 1


async def test_nothing_is_left_behind_by_calls() -> None:
    client = ChatCompletionCache(ReplayChatCompletionClient(["hi"] * 20))

    async def ask(number: int) -> None:
        stream: AsyncGenerator[object, None] = client.create_stream([UserMessage(content=f"{number}", source="u")])
        async for _ in stream:
            pass

    await asyncio.gather(*(ask(number) for number in range(20)))
    gc.collect()
    assert not [task for task in asyncio.all_tasks() if "Flight" in repr(task)]
