"""A cache by its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, Final

from typing_extensions import override

from symposia.core.exceptions import InvalidArgumentError
from symposia.v02.cache.abstract_cache_base import AbstractCache
from symposia.v02.cache.cache_factory import CacheFactory

__all__ = ["Cache"]

SEED: Final = 42


class Cache(AbstractCache):
    """A cache of answers, made by `disk` or `redis`.

    ::

        with Cache.disk(cache_seed=42) as cache:
            user.initiate_chat(assistant, message="Hello", cache=cache)

    Args:
        config: The seed (``cache_seed``), and ``redis_url`` or ``cache_path_root``.

    Raises:
        InvalidArgumentError: A key of the configuration is unknown.
        MissingExtraError: The library of the store is not installed.
        NotImplementedError: It is one in Cosmos DB.
    """

    ALLOWED_CONFIG_KEYS: ClassVar[list[str]] = ["cache_seed", "redis_url", "cache_path_root", "cosmos_db_config"]

    def __init__(self, config: Mapping[str, Any]) -> None:  # Any: JSON
        for key in config:
            if key not in self.ALLOWED_CONFIG_KEYS:
                raise InvalidArgumentError(f"Invalid config key: {key}. Use: {', '.join(self.ALLOWED_CONFIG_KEYS)}.")
        self.config = {**config, "cache_seed": str(config.get("cache_seed", SEED))}
        self.cache = CacheFactory.cache_factory(
            seed=self.config["cache_seed"],
            redis_url=config.get("redis_url"),
            cache_path_root=config.get("cache_path_root", ".cache"),
            cosmosdb_config=config.get("cosmos_db_config"),
        )

    @staticmethod
    def disk(cache_seed: str | int = SEED, cache_path_root: str = ".cache") -> Cache:
        """A cache in the folder ``cache_path_root/cache_seed``."""
        return Cache({"cache_seed": cache_seed, "cache_path_root": cache_path_root})

    @staticmethod
    def redis(cache_seed: str | int = SEED, redis_url: str = "redis://localhost:6379/0") -> Cache:
        """A cache in Redis."""
        return Cache({"cache_seed": cache_seed, "redis_url": redis_url})

    @staticmethod
    def cosmos_db(
        connection_string: str | None = None,
        container_id: str | None = None,
        cache_seed: str | int = SEED,
        client: object = None,
    ) -> Cache:
        """Raises `NotImplementedError`: there is no cache in Cosmos DB."""
        config = {"connection_string": connection_string, "container_id": container_id, "client": client}
        return Cache({"cache_seed": cache_seed, "cosmos_db_config": config})

    def __enter__(self) -> AbstractCache:  # pyright: ignore[reportIncompatibleMethodOverride] - AutoGen's: the store itself
        return self.cache.__enter__()

    @override
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cache.__exit__(exc_type, exc_value, traceback)

    @override
    def get(self, key: str, default: Any | None = None) -> Any | None:
        return self.cache.get(key, default)

    @override
    def set(self, key: str, value: Any) -> None:
        self.cache.set(key, value)

    @override
    def close(self) -> None:
        self.cache.close()
