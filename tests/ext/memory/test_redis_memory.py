"""The memory in Redis, on a real server without a search module."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import redis
from tests.contracts.memory_contract import FACTS, MemoryContract, found, text
from tests.support.redis_server import running_redis

from symposia.core.exceptions import InvalidArgumentError, MemoryStoreError, MissingExtraError
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


async def test_vectors_of_another_embedder_are_refused(config: RedisMemoryConfig) -> None:
    async with opened(config) as memory, RedisMemory(config, embedder=HashingEmbedder(64)) as other:
        await memory.add(text(FACTS[0]))
        with pytest.raises(InvalidArgumentError, match=r"of the embedder 'hashed-ngrams-512-v1'.*another index_name"):
            await other.query(FACTS[0])


async def test_a_server_that_is_gone_is_one_clear_error_without_the_password() -> None:
    config = RedisMemoryConfig(redis_url="redis://me:secret@127.0.0.1:1")
    with pytest.raises(MemoryStoreError, match=r"server at 127\.0\.0\.1:1 cannot be used: .*Check that") as caught:
        await opened(config).add(text("x"))
    assert "secret" not in str(caught.value)


async def test_without_an_embedder_the_models_library_is_needed(config: RedisMemoryConfig) -> None:
    with pytest.raises(MissingExtraError, match="sentence-transformers"):
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
