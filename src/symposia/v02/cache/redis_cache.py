"""A cache in Redis, under the keys of AutoGen 0.2."""

from __future__ import annotations

import pickle
from typing import Any, Protocol, cast

from typing_extensions import override

from symposia.core.exceptions import MissingExtraError
from symposia.v02.cache._base import ClosingCache

__all__ = ["RedisCache"]


class _Values(Protocol):
    """The methods of a Redis client that a cache uses."""

    def get(self, name: str) -> bytes | None: ...
    def set(self, name: str, value: bytes) -> object: ...
    def close(self) -> None: ...


class RedisCache(ClosingCache):
    """Keeps values in Redis, which several machines may share.

    Values are pickled: to read a server that others may write into is to run their code.

    Args:
        seed: Tells the keys of one cache from those of another.
        redis_url: The address of the server, such as ``redis://localhost:6379/0``.

    Raises:
        MissingExtraError: The extra ``redis`` is not installed.
    """

    def __init__(self, seed: str | int, redis_url: str) -> None:
        try:
            import redis  # noqa: PLC0415 - only this cache needs it
        except ImportError as error:
            raise MissingExtraError("RedisCache", "redis") from error
        self.seed = seed
        client: object = redis.Redis.from_url(redis_url)  # pyright: ignore[reportUnknownMemberType] - of its keywords
        self.cache = cast("_Values", client)  # its types say that the methods may be asynchronous

    @override
    def get(self, key: str, default: Any | None = None) -> Any | None:
        found = self.cache.get(self._name(key))
        return default if found is None else pickle.loads(found)  # noqa: S301 - see the class

    @override
    def set(self, key: str, value: Any) -> None:
        self.cache.set(self._name(key), pickle.dumps(value))

    @override
    def close(self) -> None:
        """Close the connections. The cache may be used again."""
        self.cache.close()

    def _name(self, key: str) -> str:
        return f"autogen:{self.seed}:{key}"
