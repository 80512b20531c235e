"""A cache in a folder, by the library ``diskcache``, in the files of AutoGen 0.2."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from symposia.core.exceptions import MissingExtraError
from symposia.ext.cache_store.diskcache import DiskCacheStore
from symposia.v02.cache._base import ClosingCache

__all__ = ["DiskCache"]


class DiskCache(ClosingCache):
    """Keeps values in a folder that several processes may share.

    Values are pickled: to read a folder that others may write into is to run their code.

    Args:
        seed: The path of the folder.

    Raises:
        MissingExtraError: The extra ``diskcache`` is not installed.
    """

    def __init__(self, seed: str | int) -> None:
        try:
            import diskcache  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs] - it has none; programs without a cache need none
        except ImportError as error:
            raise MissingExtraError(
                "A cache of answers on the disk, which cache_seed=None turns off,", "diskcache"
            ) from error
        self._store: DiskCacheStore[Any] = DiskCacheStore(diskcache.Cache(str(seed)))  # Any: see `AbstractCache`

    @override
    def get(self, key: str, default: Any | None = None) -> Any | None:
        return self._store.get(key, default)

    @override
    def set(self, key: str, value: Any) -> None:
        self._store.set(key, value)

    @override
    def close(self) -> None:
        """Close the files. The cache may be used again."""
        self._store.close()
