"""Caches of models' answers: in a folder, in Redis, in memory, or of a class of the program."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.v02.cache.abstract_cache_base import AbstractCache
    from symposia.v02.cache.cache import Cache
else:
    __getattr__, __dir__ = lazy_names(__name__, {"abstract_cache_base": ["AbstractCache"], "cache": ["Cache"]})

__all__ = ["AbstractCache", "Cache"]
