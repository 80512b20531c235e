"""Answers that were given before: the key of a request, and the cache that a configuration names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from symposia.v02._secrets import SECRETS, is_secret
from symposia.v02.cache import AbstractCache, Cache
from symposia.v02.oai._model_client import Response
from symposia.v02.oai._settings import Config

LEGACY_DEFAULT_CACHE_SEED: Final = 41
"""The seed of the cache that is used where neither ``cache`` nor ``cache_seed`` is given."""
LEGACY_CACHE_DIR: Final = ".cache"
"""The folder of the caches that are chosen by ``cache_seed``."""
NOT_IN_KEYS: Final = SECRETS | {"api_type", "api_version", "tool_config"}
"""What the key of a cached answer leaves out: credentials, and where the model is."""
WHOLE_IN_KEYS: Final = frozenset({"functions", "messages", "response_format", "tools"})
"""Where the name of a secret is the program's own, such as a parameter of a function."""


def key_of(request: Mapping[str, Any]) -> str:  # Any: see `Config`
    """The key of a request's answer, as in AutoGen 0.2: its JSON in ASCII, without credentials and addresses."""
    part = {
        name: value if name in WHOLE_IN_KEYS else _without_secrets(value)
        for name, value in request.items()
        if name not in NOT_IN_KEYS and not is_secret(name)
    }
    return json.dumps(part, sort_keys=True, default=_named)


def _named(value: object) -> object:
    """A class by its schema, which is what a request with it has; no other value is the same in another process."""
    if hasattr(value, "model_json_schema"):
        return cast("Any", value).model_json_schema()  # Any: a pydantic model's class
    raise TypeError(f"{value!r} cannot be part of a cached request: give JSON, or cache_seed=None.")


def _without_secrets(value: Any) -> Any:  # Any: JSON
    if isinstance(value, Mapping):
        items = cast("Mapping[object, Any]", value).items()
        return {name: _without_secrets(each) for name, each in items if not is_secret(name)}
    if isinstance(value, list | tuple):
        return [_without_secrets(each) for each in cast("Sequence[Any]", value)]
    return value


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
