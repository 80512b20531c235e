"""The stores of caches, on a folder and on a real Redis."""

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pickle import PicklingError
from typing import Any

import diskcache  # pyright: ignore[reportMissingTypeStubs] - it has none
import pytest
import redis
from tests.support.redis_server import running_redis

from symposia.core import CacheStore
from symposia.core.exceptions import ArgumentTypeError, ComponentError
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


def test_a_store_that_was_closed_is_opened_by_the_next_call(store: CacheStore[Any]) -> None:
    store.close()
    store.set("key", "value")
    store.close()
    store.close()
    assert store.get("key") == "value"


def cache_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "symposia-cache"]


def test_a_folder_is_used_by_one_thread_which_ends_with_the_store(tmp_path: Path) -> None:
    before = cache_threads()
    stores = [DiskCacheStore[int](diskcache.Cache(tmp_path))]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(stores[0].set, map(str, range(40)), range(40)))
        assert list(pool.map(stores[0].get, map(str, range(40)))) == list(range(40))
    (thread,) = set(cache_threads()) - set(before)
    stores[0].close()
    assert not thread.is_alive()
    stores[0].set("another", 1)
    (thread,) = set(cache_threads()) - set(before)
    stores.clear()
    gc.collect()
    thread.join(timeout=30)
    assert not thread.is_alive()


def test_an_error_of_a_folder_is_raised_where_it_was_called(tmp_path: Path) -> None:
    store = DiskCacheStore[Any](diskcache.Cache(tmp_path))
    with pytest.raises((AttributeError, PicklingError)):
        store.set("key", lambda: None)
    assert store.get("key") is None


PROCESS = """
import os, sys
import diskcache
from symposia.ext.cache_store.diskcache import DiskCacheStore

store = DiskCacheStore(diskcache.Cache(sys.argv[1]))
store.set("before", "fork")
child = os.fork()
if child == 0:
    store.set("after", store.get("before"))
    os._exit(0)
os.waitpid(child, 0)
print(store.get("after"))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked on this system")
def test_a_store_works_in_a_forked_process_and_leaves_nothing_open_at_the_exit(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", PROCESS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("fork\n", "")


def test_the_password_of_redis_is_not_saved() -> None:
    saved = RedisStore[Any](redis.Redis(password="secret", username="me", ssl=True)).dump_component()
    assert (saved.config["username"], saved.config["ssl"], saved.config["password"]) == ("me", True, "*" * 10)
    with pytest.raises(ComponentError, match="write it in place"):
        RedisStore.load_component(saved)
    saved.config["password"] = "secret"
    again = RedisStore[Any].load_component(saved)
    assert again.cache.connection_pool.connection_kwargs["password"] == "secret"
    assert RedisStoreConfig().port == 6379


def test_the_socket_of_a_redis_server_is_saved() -> None:
    saved = RedisStore[Any](redis.Redis(unix_socket_path="/run/redis.sock", db=3)).dump_component()
    again = RedisStore[Any].load_component(saved)
    settings = again.cache.connection_pool.connection_kwargs
    assert (settings["path"], settings["db"]) == ("/run/redis.sock", 3)


def test_a_value_of_another_program_is_an_error(redis_port: int) -> None:
    connection = redis.Redis(port=redis_port)
    connection.set("foreign", b"\x80\x05pickle")
    with pytest.raises(ValueError, match=r"'foreign' in Redis has no JSON \(expected value .*Delete the key"):
        RedisStore[Any](connection).get("foreign")


def test_a_folder_or_an_address_is_refused_in_place_of_a_store() -> None:
    with pytest.raises(ArgumentTypeError, match="cache_instance of DiskCacheStore is 'folder': give an object such as"):
        DiskCacheStore("folder")  # pyright: ignore[reportArgumentType] - wrong on purpose
    with pytest.raises(ArgumentTypeError, match="redis_instance of RedisStore is 'redis://localhost': give an object"):
        RedisStore("redis://localhost")  # pyright: ignore[reportArgumentType] - wrong on purpose
