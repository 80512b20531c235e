"""Configurations of AutoGen 0.2 as model clients of AutoGen 0.4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from symposia.core.exceptions import InvalidArgumentError, MissingExtraError
from symposia.core.models import ChatCompletionClient
from symposia.ext.models.fallback import FallbackClient
from symposia.ext.models.rate_limit import RateLimitedClient
from symposia.v02.oai._cached_answers import LEGACY_CACHE_DIR
from symposia.v02.oai._settings import Config, request_of
from symposia.v02.oai._vendors import make_client_by_name

__all__ = ["to_model_client"]

NOT_TAKEN: Final = {
    **dict.fromkeys(("functions", "tools"), "give the functions to the agent, as its tools"),
    **dict.fromkeys(("function_call", "tool_choice", "hide_tools"), "AssistantAgent decides that"),
    **dict.fromkeys(("filter_func", "n", "messages", "prompt"), "a client of AutoGen 0.4 has no counterpart"),
    "model_client_cls": "make a ChatCompletionClient of the class",
    "stream": "give model_client_stream=True to the agent",
}
"""What no client takes, and what to do instead."""


def to_model_client(
    llm_config: Mapping[str, Any],  # Any: see `OpenAIWrapper`
) -> ChatCompletionClient:
    """A model client of AutoGen 0.4 for an `llm_config`.

    Its ``api_type`` names the vendor. Several entries of the ``config_list`` are asked in order, until one answers.
    ``api_rate_limit`` limits the requests of an entry. With a ``cache_seed`` answers are kept in the folder ``.cache``,
    without one they are not. What a client does not need is not read: ``tags``, ``price`` and ``context``.

    Args:
        llm_config: The configuration, as agents of 0.2 take it.

    Raises:
        InvalidArgumentError: The configuration has what no client takes.
        MissingExtraError: The SDK of a vendor is not installed.
        UsageError: The client of a vendor does not take the configuration; also `openai.OpenAIError`.
    """
    shared = {name: value for name, value in llm_config.items() if name != "config_list"}
    entries: Sequence[Config] = llm_config.get("config_list") or [{}]
    clients = [_client({**shared, **each}) for each in entries]
    client = clients[0] if len(clients) == 1 else FallbackClient(clients)
    seed = llm_config.get("cache_seed")
    return client if seed is None else _cached(client, seed)


def _client(config: Config) -> ChatCompletionClient:
    if refused := [f"{name!r}: {advice}." for name, advice in NOT_TAKEN.items() if config.get(name)]:
        raise InvalidArgumentError(f"A model client takes no {' '.join(refused)}")
    arguments = {name: value for name, value in request_of(config).items() if name not in NOT_TAKEN}
    client = make_client_by_name(config, arguments)
    rate: float | None = config.get("api_rate_limit")
    return RateLimitedClient(client, requests_per_minute=60 * rate) if rate else client


def _cached(client: ChatCompletionClient, seed: object) -> ChatCompletionClient:
    from symposia.ext.cache_store.diskcache import DiskCacheStore  # noqa: PLC0415 - only such configurations need it
    from symposia.ext.models.cache import ChatCompletionCache  # noqa: PLC0415 - as above

    try:
        import diskcache  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs] - it has none
    except ImportError as error:
        raise MissingExtraError("A cache_seed", "diskcache") from error
    return ChatCompletionCache(client, DiskCacheStore(diskcache.Cache(f"{LEGACY_CACHE_DIR}/{seed}")))
