"""The cache of a configuration."""

from __future__ import annotations

import os
from collections.abc import Mapping

from symposia._autogen_names import PAGE_02
from symposia.v02.cache.abstract_cache_base import AbstractCache
from symposia.v02.cache.disk_cache import DiskCache
from symposia.v02.cache.redis_cache import RedisCache

__all__ = ["CacheFactory"]


class CacheFactory:
    """Makes caches."""

    @staticmethod
    def cache_factory(
        seed: str | int,
        redis_url: str | None = None,
        cache_path_root: str = ".cache",
        cosmosdb_config: Mapping[str, object] | None = None,
    ) -> AbstractCache:
        """A cache in Redis where an address is given, and in a folder elsewhere.

        Args:
            seed: Tells one cache from another: the name of the folder.
            redis_url: The address of a Redis server.
            cache_path_root: The folder of the folders.
            cosmosdb_config: Is not supported.

        Raises:
            MissingExtraError: The library of the store is not installed.
            NotImplementedError: A configuration of Cosmos DB is given.
        """
        if cosmosdb_config is not None:
            raise NotImplementedError(f"Symposia has no cache in Cosmos DB: use Cache.redis or Cache.disk. {PAGE_02}")
        if redis_url is not None:
            return RedisCache(seed, redis_url)
        return DiskCache(os.path.join(cache_path_root, str(seed)))  # noqa: PTH118 - diskcache expands the text
