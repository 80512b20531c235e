"""A cache store in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast

from pydantic import BaseModel, SecretStr
from pydantic_core import from_json, to_json

from symposia._lazy import lazy_module
from symposia.core import CacheStore, Component
from symposia.core.argument_checks import check_key_values
from symposia.core.exceptions import ComponentError, InvalidArgumentError, MissingExtraError

__all__ = ["RedisStore", "RedisStoreConfig"]

if TYPE_CHECKING:
    import redis
else:
    redis = lazy_module("redis")

T = TypeVar("T")

_MASK: Final = "**********"
"""A `SecretStr` in JSON."""


class RedisStoreConfig(BaseModel):
    """The configuration of a `RedisStore`: where its server is.

    Attributes:
        host: The server's name.
        port: Its port.
        db: The number of the database.
        username: The name to log in with.
        password: The password, which is not saved.
        ssl: Whether the connection is encrypted.
        socket_timeout: Seconds to wait for an answer.
        unix_socket_path: The socket of a server on this machine, in place of its name and port.
    """

    host: str = "localhost"
    port: int = 6379
    db: int = 0
    username: str | None = None
    password: SecretStr | None = None
    ssl: bool = False
    socket_timeout: float | None = None
    unix_socket_path: str | None = None


class RedisStore(CacheStore[T], Component[RedisStoreConfig]):
    """Keeps values in a Redis server, which several machines may share.

    Values are written as JSON, and a value that is read is JSON too: a dictionary where a model was put.

    Args:
        redis_instance: A ``redis.Redis``.

    Raises:
        ArgumentTypeError: It is something else, such as an address.
    """

    component_provider_override = "symposia.ext.cache_store.redis.RedisStore"
    component_config_schema = RedisStoreConfig

    def __init__(self, redis_instance: redis.Redis) -> None:
        check_key_values("redis_instance", type(self).__name__, redis_instance, "redis.Redis(host='localhost')")
        self.cache = redis_instance

    def get(self, key: str, default: T | None = None) -> T | None:
        """See `CacheStore.get`. It waits for the server: call it in a thread.

        Raises:
            InvalidArgumentError: Another program has put something else there.
        """
        value = self.cache.get(key)
        if value is None:
            return default
        try:
            return cast("T", from_json(value))
        except ValueError as error:
            raise InvalidArgumentError(
                f"The key {key!r} in Redis has no JSON ({error}), so no RedisStore has written it. Delete the key, or "
                "give the store a database of its own, as in redis.Redis(db=1)."
            ) from error

    def set(self, key: str, value: T) -> None:
        """See `CacheStore.set`. It waits for the server: call it in a thread."""
        self.cache.set(key, to_json(value))

    def close(self) -> None:
        """See `CacheStore.close`."""
        self.cache.close()

    def _to_config(self) -> RedisStoreConfig:
        pool = self.cache.connection_pool
        settings: dict[str, Any] = pool.connection_kwargs  # Any: as the library has them
        names = RedisStoreConfig.model_fields.keys() & settings.keys()
        given: dict[str, Any] = {name: settings[name] for name in names if settings[name] is not None}
        given["ssl"] = issubclass(pool.connection_class, redis.SSLConnection)
        given["unix_socket_path"] = settings.get("path")
        return RedisStoreConfig.model_validate(given)

    @classmethod
    def _from_config(cls, config: RedisStoreConfig) -> Self:
        try:
            from redis import Redis  # noqa: PLC0415 - an optional dependency
        except ImportError as error:
            raise MissingExtraError(cls.__name__, "redis") from error
        password = None if config.password is None else config.password.get_secret_value()
        if password == _MASK:
            raise ComponentError(f"The password of a RedisStore is not saved: write it in place of {_MASK!r}.")
        return cls(Redis(**config.model_dump(exclude={"password"}, exclude_none=True), password=password))
