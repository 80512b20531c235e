"""Answers that were given before: the key of a request, and the cache that a configuration names."""

from __future__ import annotations

import json
from typing import Any, Final, cast

from symposia.v02.cache import AbstractCache, Cache
from symposia.v02.oai._model_client import Response
from symposia.v02.oai._settings import Config, part_of_key

LEGACY_DEFAULT_CACHE_SEED: Final = 41
"""The seed of the cache that is used where neither ``cache`` nor ``cache_seed`` is given."""
LEGACY_CACHE_DIR: Final = ".cache"
"""The folder of the caches that are chosen by ``cache_seed``."""


def key_of(params: Config) -> str:
    """The key of a request's answer: its JSON, without credentials and addresses."""
    return json.dumps(part_of_key(params), sort_keys=True, ensure_ascii=False, default=_named)


def _named(value: object) -> object:
    """A class by its schema, which is what a request with it has; no other value is the same in another process."""
    if hasattr(value, "model_json_schema"):
        return cast("Any", value).model_json_schema()  # Any: a pydantic model's class
    raise TypeError(f"{value!r} cannot be part of a cached request: give JSON, or cache_seed=None.")


def is_cached(full: Config) -> bool:
    """Whether the answers to requests of a configuration are cached."""
    return full.get("cache") is not None or full.get("cache_seed", LEGACY_DEFAULT_CACHE_SEED) is not None


def _cache_of(full: Config) -> AbstractCache:
    given: AbstractCache | None = full.get("cache")
    return Cache.disk(full.get("cache_seed", LEGACY_DEFAULT_CACHE_SEED), LEGACY_CACHE_DIR) if given is None else given


def read(full: Config, key: str) -> Response | None:
    """The answer under a key; None without one. Blocks."""
    with _cache_of(full) as cache:
        return cache.get(key, None)


def write(full: Config, key: str, response: Response) -> None:
    """Keep an answer. Blocks."""
    with _cache_of(full) as cache:
        cache.set(key, response)
