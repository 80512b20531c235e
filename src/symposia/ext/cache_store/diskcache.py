"""A cache store in a folder, by the library ``diskcache``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self, TypeVar, cast

from pydantic import BaseModel

from symposia._lazy import lazy_module
from symposia.core import CacheStore, Component
from symposia.core.exceptions import MissingExtraError

__all__ = ["DiskCacheStore", "DiskCacheStoreConfig"]

if TYPE_CHECKING:
    import diskcache  # pyright: ignore[reportMissingTypeStubs] - it has none
else:
    diskcache = lazy_module("diskcache")

T = TypeVar("T")


class _Values(Protocol[T]):
    """The methods of ``diskcache.Cache`` that a store uses."""

    def get(self, key: str, default: T | None) -> T | None: ...
    def set(self, key: str, value: T) -> object: ...


class DiskCacheStoreConfig(BaseModel):
    """The configuration of a `DiskCacheStore`.

    Attributes:
        directory: The folder.
    """

    directory: str


class DiskCacheStore(CacheStore[T], Component[DiskCacheStoreConfig]):
    """Keeps values in a folder of this machine, which several processes may share.

    The library writes texts, numbers and bytes as they are, and other values with `pickle`: to read a folder that
    others may write into is to run their code. What `symposia.ext.models.cache.ChatCompletionCache` keeps is text.

    Args:
        cache_instance: ``diskcache.Cache(folder)``, with its limits.
    """

    component_provider_override = "symposia.ext.cache_store.diskcache.DiskCacheStore"
    component_config_schema = DiskCacheStoreConfig

    def __init__(self, cache_instance: diskcache.Cache) -> None:
        self.cache = cache_instance
        self._values = cast("_Values[T]", cache_instance)  # the library has no types

    def get(self, key: str, default: T | None = None) -> T | None:
        """See `CacheStore.get`. It reads files: call it in a thread."""
        return self._values.get(key, default)

    def set(self, key: str, value: T) -> None:
        """See `CacheStore.set`. It writes files: call it in a thread."""
        self._values.set(key, value)

    def _to_config(self) -> DiskCacheStoreConfig:
        return DiskCacheStoreConfig(directory=str(self.cache.directory))

    @classmethod
    def _from_config(cls, config: DiskCacheStoreConfig) -> Self:
        try:
            return cls(diskcache.Cache(config.directory))
        except ImportError as error:
            raise MissingExtraError(cls.__name__, "diskcache") from error
