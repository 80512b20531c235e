"""The memory in Redis, on a real server without a search module."""

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.contracts.memory_contract import FACTS, MemoryContract, found, text
from tests.support.redis_server import running_redis

from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, MemoryStoreError, MissingExtraError
from symposia.core.memory import Memory
from symposia.ext.memory.embedders import FunctionEmbedder, HashingEmbedder
from symposia.ext.memory.redis import RedisMemory, RedisMemoryConfig

NAMES = count()


@pytest.fixture(scope="module")
def redis_port() -> Iterator[int]:
    with running_redis() as port:
        yield port


@pytest.fixture
def config(redis_port: int) -> RedisMemoryConfig:
    return RedisMemoryConfig(
        redis_url=f"redis://127.0.0.1:{redis_port}", index_name=f"test{next(NAMES)}", distance_threshold=0.9
    )


def opened(config: RedisMemoryConfig, **changes: Any) -> RedisMemory:
    return RedisMemory(config.model_copy(update=changes), embedder=HashingEmbedder())


class TestRedisMemory(MemoryContract):
    @pytest.fixture(autouse=True)
    def store(self, config: RedisMemoryConfig) -> None:
        self.config = config

    def open_memory(self) -> RedisMemory:
        return opened(self.config)


async def test_a_sequential_memory_finds_the_last_entries_in_order_without_an_embedder(
    config: RedisMemoryConfig,
) -> None:
    async with RedisMemory(config.model_copy(update={"sequential": True, "top_k": 2})) as memory:
        for fact in FACTS:
            await memory.add(text(fact))
        assert await found(memory, "anything") == list(FACTS[1:])
        assert [each.content for each in (await memory.query("", top_k=9)).results] == list(FACTS)


@pytest.mark.parametrize("metric", ["cosine", "ip", "l2"])
@pytest.mark.parametrize("datatype", ["float16", "float32", "float64"])
async def test_distances_are_of_the_metric_and_at_most_the_threshold(
    config: RedisMemoryConfig, metric: str, datatype: str
) -> None:
    vectors = {"query": [1.0, 0.0], "near": [2.0, 0.0], "far": [0.0, 3.0]}
    embedder = FunctionEmbedder(lambda texts: [vectors[each] for each in texts], "table")
    changes = {"distance_metric": metric, "datatype": datatype, "distance_threshold": 99}
    async with RedisMemory(config.model_copy(update=changes), embedder=embedder) as memory:
        await memory.add(text("far"))
        await memory.add(text("near"))
        results = (await memory.query("query")).results
        distances = [round((each.metadata or {})["distance"], 3) for each in results]
        expected = {"cosine": [0, 1], "ip": [-1, 1], "l2": [1, 3.162]}[metric]
        assert ([each.content for each in results], distances) == (["near", "far"], expected)
        assert len((await memory.query("query", distance_threshold=distances[0])).results) == 1
        assert len((await memory.query("query", top_k=1)).results) == 1


async def test_what_was_forgotten_or_flushed_is_found_by_nobody(config: RedisMemoryConfig) -> None:
    async with opened(config) as first, opened(config) as other:
        for fact in FACTS:
            await first.add(text(fact))
        (best, *_) = (await other.query(FACTS[1])).results
        assert await first.forget([(best.metadata or {})["id"], "0-1"]) == 1
        assert FACTS[1] not in await found(other, FACTS[1])
        assert (await found(other, FACTS[0]))[0] == FACTS[0]
        with redis.Redis(port=int(config.redis_url.rpartition(":")[2])) as server:
            server.delete(f"memory:{config.index_name}", f"memory:{config.index_name}:generation")
        await first.add(text("New."))
        assert await found(other, FACTS[0]) == []
        assert await found(other, "New.") == ["New."]


async def test_entries_are_forgotten_by_their_metadata(config: RedisMemoryConfig) -> None:
    async with opened(config, top_k=9) as first, opened(config, top_k=9) as other:
        for number in range(6):
            await first.add(text(f"lamp {number}", source=f"{number % 2}.md", n=number))
        assert await other.forget(where={"source": "1.md", "n": True}) == 0
        assert await other.forget(where={"source": "1.md"}) == 3
        ids = [(each.metadata or {})["id"] for each in (await first.query("lamp")).results]
        assert await first.forget(ids, where={"n": 2}) == 1
        assert await first.forget() == 0
        assert sorted(map(str, await found(first, "lamp"))) == ["lamp 0", "lamp 4"]
        with pytest.raises(ArgumentTypeError, match="give values by name"):
            await first.forget(where="1.md")  # pyright: ignore[reportArgumentType] - wrong on purpose


async def test_vectors_of_another_embedder_are_refused_and_spoil_nothing(config: RedisMemoryConfig) -> None:
    shorter = FunctionEmbedder(lambda texts: [[1.0] for _ in texts], HashingEmbedder().name)
    wrong = FunctionEmbedder(lambda texts: [["x"] for _ in texts], HashingEmbedder().name)  # pyright: ignore[reportArgumentType]
    async with opened(config) as memory:
        await memory.add(text(FACTS[0]))
        for embedder in (HashingEmbedder(64), shorter, wrong):
            async with RedisMemory(config, embedder=embedder) as other:
                for call in (other.add(text("x")), other.query(FACTS[0])):
                    with pytest.raises(InvalidArgumentError, match=r"another index_name|has to return as many vectors"):
                        await call
        assert await found(memory, FACTS[0]) == [FACTS[0]]
        await memory.clear()
        async with RedisMemory(config, embedder=HashingEmbedder(64)) as other:
            await other.add(text("of another model"))


async def test_a_vector_that_the_datatype_cannot_hold_is_refused(config: RedisMemoryConfig) -> None:
    embedder = FunctionEmbedder(lambda texts: [[1e6, 1.0] for _ in texts], "large numbers")
    async with RedisMemory(config.model_copy(update={"datatype": "float16"}), embedder=embedder) as memory:
        with pytest.raises(InvalidArgumentError, match=r"up to 1e\+06, .* give datatype='float32'"):
            await memory.add(text("a"))
        assert await found(memory, "a") == []


async def test_a_server_that_is_gone_is_one_clear_error_without_the_password() -> None:
    for url in ("redis://me:secret@127.0.0.1:1", "redis://127.0.0.1:1/0?password=secret"):
        with pytest.raises(
            MemoryStoreError, match=r"server at 127\.0\.0\.1:1 cannot be used: .*[^.]\. Check that"
        ) as caught:
            await opened(RedisMemoryConfig(redis_url=url)).add(text("x"))
        assert "secret" not in str(caught.value)
    for url in ("localhost:6379", "http://me:secret@127.0.0.1", "redis://me:sec/ret@host"):
        with pytest.raises(InvalidArgumentError, match="is no address of a server") as wrong:
            RedisMemory(RedisMemoryConfig(redis_url=url))
        assert "sec" not in str(wrong.value)


async def test_a_memory_works_again_when_its_server_does(config: RedisMemoryConfig, redis_port: int) -> None:
    async with opened(config) as memory:
        await memory.add(text(FACTS[0]))
        with redis.Redis(port=redis_port) as server:
            commands: Any = server  # the types of these are unknown in part
            commands.config_set("maxmemory", 1)
            with pytest.raises(MemoryStoreError, match="maxmemory"):
                await memory.add(text("lost"))
            commands.config_set("maxmemory", 0)
            await memory.add(text("kept"))
            commands.client_kill_filter(_type="normal", skipme=True)
            await memory.add(text("after the connection was closed"))
        assert await found(memory, "kept") == ["kept"]
        assert len((await memory.query("")).results) == 3


async def test_a_memory_is_closed_while_others_write_and_ask(config: RedisMemoryConfig) -> None:
    async with opened(config, distance_threshold=2) as memory:

        async def close() -> None:
            for _ in range(30):
                await memory.close()

        writes = (memory.add(text(f"entry {number}")) for number in range(60))
        queries = (memory.query("entry") for _ in range(20))
        await asyncio.wait_for(asyncio.gather(*writes, *queries, close()), 60)
        assert len((await memory.query("entry", top_k=99)).results) == 60


async def test_what_was_added_is_there_when_the_server_went_away_and_came_back(tmp_path: Path) -> None:
    added: set[str] = set()
    unsure: set[str] = set()
    with running_redis(tmp_path) as port:
        config = RedisMemoryConfig(redis_url=f"redis://127.0.0.1:{port}", distance_threshold=2, top_k=999)
    came_back = asyncio.Event()

    async def write(memory: RedisMemory, writer: int) -> None:
        number = 0
        while not (came_back.is_set() and len(added) > 60):
            number += 1
            name = f"entry {number} of {writer}"
            try:
                await memory.add(text(name))
                added.add(name)
            except MemoryStoreError:
                unsure.add(name)
                await came_back.wait()

    async with opened(config) as memory, opened(config) as other:
        with running_redis(tmp_path, port):
            writing = [asyncio.create_task(write(each, n)) for n, each in enumerate([memory, other] * 3)]
            while len(added) < 30:
                await other.query("entry")
        with running_redis(tmp_path, port):
            came_back.set()
            await asyncio.wait_for(asyncio.gather(*writing), 60)
            for each in (memory, other):
                kept = set(await found(each, "entry"))
                assert added <= kept <= added | unsure


async def test_entries_of_another_program_are_a_clear_error(config: RedisMemoryConfig, redis_port: int) -> None:
    with redis.Redis(port=redis_port) as server:
        server.xadd(f"memory:{config.index_name}", {"theirs": "x"})
    async with opened(config) as memory:
        with pytest.raises(
            MemoryStoreError, match="has entries of another program: give the memory another index_name"
        ):
            await memory.query("")


async def test_what_may_have_been_added_is_not_sent_again_and_a_server_that_hangs_is_left(
    config: RedisMemoryConfig, redis_port: int
) -> None:
    """Between them is a server that passes an addition on, and not the answer."""
    hangs = asyncio.Event()
    connections: list[asyncio.Task[Any] | None] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.current_task())
        answers, requests = await asyncio.open_connection("127.0.0.1", redis_port)
        try:
            while data := await reader.read(65536):
                if hangs.is_set():
                    continue
                requests.write(data)
                answer = await answers.read(65536)
                if b"XADD" in data:
                    break
                writer.write(answer)
        finally:
            for each in (requests, writer):
                each.close()
                await each.wait_closed()

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    unreliable = config.model_copy(update={"redis_url": f"redis://127.0.0.1:{port}?socket_timeout=0.3"})
    async with opened(unreliable) as memory, opened(config) as other:
        with pytest.raises(MemoryStoreError, match="cannot be used"):
            await memory.add(text("once"))
        assert await found(other, "once") == ["once"]
        hangs.set()
        with pytest.raises(MemoryStoreError, match="Timeout"):
            await memory.query("once")
    server.close()
    await server.wait_closed()
    await asyncio.gather(*filter(None, connections))


async def test_without_an_embedder_the_models_library_is_needed(config: RedisMemoryConfig) -> None:
    with pytest.raises(MissingExtraError, match=r"RedisMemory without an embedder needs .*sentence-transformers"):
        await RedisMemory(config).add(text("x"))


def test_json_of_autogen_is_loaded_whose_provider_names_no_module() -> None:
    saved = {
        "provider": "autogen_ext.memory.redis_memory.RedisMemory",
        "component_type": "memory",
        "version": 1,
        "component_version": 1,
        "config": {"redis_url": "redis://localhost:6380", "index_name": "notes", "datatype": "int8"},
    }
    loaded: Any = Memory.load_component(saved)
    assert (type(loaded), loaded.config.redis_url, loaded.name) == (RedisMemory, "redis://localhost:6380", "notes")
    assert loaded.dump_component().config["index_name"] == "notes"
