"""Caches of answers: in a folder, in memory, and what is refused."""

from pathlib import Path

import pytest
from tests.support.redis_server import running_redis

from symposia.v02.cache import Cache
from symposia.v02.cache.disk_cache import DiskCache
from symposia.v02.cache.in_memory_cache import InMemoryCache
from symposia.v02.cache.redis_cache import RedisCache


def test_a_cache_on_the_disk_is_a_folder_named_after_its_seed(tmp_path: Path) -> None:
    with Cache.disk(7, str(tmp_path)) as cache:
        assert cache.get("a") is None
        assert cache.get("a", "other") == "other"
        cache.set("a", {"x": 1})
    assert [each.name for each in tmp_path.iterdir()] == ["7"]
    again = Cache.disk(cache_seed="7", cache_path_root=str(tmp_path))
    assert again.get("a") == {"x": 1}
    again.close()
    assert again.get("a") == {"x": 1}
    again.close()


def test_the_default_folder_is_below_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cache = Cache.disk()
    cache.set("a", 1)
    cache.close()
    assert (tmp_path / ".cache" / "42").is_dir()


def test_a_block_gives_the_store_itself(tmp_path: Path) -> None:
    with Cache.disk(7, str(tmp_path)) as cache:
        assert isinstance(cache, DiskCache)


def test_a_cache_in_memory_has_its_own_values() -> None:
    with InMemoryCache("seed") as cache:
        cache.set("a", 1)
        assert cache.get("a") == 1
        assert InMemoryCache("seed").get("a", "other") == "other"


def test_an_unknown_key_of_a_configuration_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Invalid config key: bogus\. Use: cache_seed"):
        Cache({"bogus": 1})


def test_a_cache_in_cosmos_db_is_refused_with_the_others_and_the_page() -> None:
    with pytest.raises(NotImplementedError, match=r"use Cache.redis or Cache.disk. .* AutoGen 0\.2"):
        Cache.cosmos_db("connection", "container")


def test_a_cache_in_redis_is_shared_by_its_seed() -> None:
    with running_redis() as port:
        url = f"redis://127.0.0.1:{port}/0"
        with Cache.redis(7, url) as cache:
            assert isinstance(cache, RedisCache)
            cache.set("a", {"x": 1})
        with Cache.redis(7, url) as again, Cache.redis(8, url) as other:
            assert again.get("a") == {"x": 1}
            assert other.get("a", "none") == "none"
