"""The stores of caches, on a folder and on a real Redis."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import diskcache  # pyright: ignore[reportMissingTypeStubs] - it has none
import pytest
import redis
from tests.support.redis_server import running_redis

from symposia.core import CacheStore
from symposia.core.exceptions import ComponentError
from symposia.ext.cache_store.diskcache import DiskCacheStore
from symposia.ext.cache_store.redis import RedisStore, RedisStoreConfig


@pytest.fixture(scope="module")
def redis_port() -> Iterator[int]:
    with running_redis() as port:
        yield port


@pytest.fixture(params=["disk", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CacheStore[Any]:
    if request.param == "disk":
        return DiskCacheStore[Any](diskcache.Cache(tmp_path))
    return RedisStore[Any](redis.Redis(port=request.getfixturevalue("redis_port")))


def test_a_value_is_kept_by_its_key(store: CacheStore[Any]) -> None:
    assert (store.get("missing"), store.get("missing", "default")) == (None, "default")
    for value in ("text", "", 5, ["a", {"b": 1}], {"c": None}):
        store.set("key", value)
        assert store.get("key") == value
    store.set("other", "x")
    assert store.get("key") == {"c": None}


def test_a_store_is_saved_and_loaded(store: CacheStore[Any]) -> None:
    store.set("saved", "value")
    again: CacheStore[Any] = CacheStore[Any].load_component(store.dump_component().model_dump())
    assert again.get("saved") == "value"


def test_the_password_of_redis_is_not_saved() -> None:
    saved = RedisStore[Any](redis.Redis(password="secret", username="me", ssl=True)).dump_component()
    assert (saved.config["username"], saved.config["ssl"], saved.config["password"]) == ("me", True, "*" * 10)
    with pytest.raises(ComponentError, match="write it in place"):
        RedisStore.load_component(saved)
    saved.config["password"] = "secret"
    again = RedisStore[Any].load_component(saved)
    assert again.cache.connection_pool.connection_kwargs["password"] == "secret"
    assert RedisStoreConfig().port == 6379


def test_a_value_of_another_program_is_an_error(redis_port: int) -> None:
    connection = redis.Redis(port=redis_port)
    connection.set("foreign", b"\x80\x05pickle")
    with pytest.raises(ValueError, match="expected value"):
        RedisStore[Any](connection).get("foreign")
