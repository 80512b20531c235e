"""A configuration of models taken apart: what connects, what goes with each request, and what the wrapper itself reads.

Configurations are flat dictionaries, in which an agent's functions, a key and a temperature stand side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from symposia.core.exceptions import InvalidArgumentError
from symposia.v02._templates import Context, instantiate

Config = dict[str, Any]  # Any: what programs write into configurations

WRAPPER_KEYS: Final = frozenset({
    "agent", "allow_format_str_template", "api_rate_limit", "api_type", "api_version", "cache", "cache_seed", "context",
    "filter_func", "price", "tags",
})  # fmt: skip
CONNECTION_KEYS: Final = frozenset({
    "api_key", "api_version", "aws_access_key", "aws_profile_name", "aws_region", "aws_secret_key",
    "aws_session_token", "azure_ad_token", "azure_ad_token_provider", "azure_deployment", "azure_endpoint",
    "base_url", "client_host", "credentials", "default_headers", "default_query", "gcp_access_token",
    "gcp_auth_token", "gcp_project_id", "gcp_region", "google_application_credentials", "http_client", "location",
    "max_retries", "organization", "project", "project_id", "timeout", "webhook_secret", "websocket_base_url",
})  # fmt: skip


def request_of(config: Config) -> Config:
    """What goes with a request, and is the key of its answer: all but the connection and what the wrapper reads."""
    return {name: value for name, value in config.items() if name not in WRAPPER_KEYS | CONNECTION_KEYS}


def connection_of(config: Config) -> Config:
    """What a client is made of."""
    return {name: value for name, value in config.items() if name in CONNECTION_KEYS}


def without_connection(config: Config) -> Config:
    """A configuration whose connection has been made."""
    return {name: value for name, value in config.items() if name not in CONNECTION_KEYS}


def filled_in(request: Config, context: Context, *, is_format: bool | None) -> Config:
    """A request whose messages are not templates any more.

    Raises:
        InvalidArgumentError: It has both a prompt and messages, or neither; or the messages are a text.
    """
    messages: Sequence[Config] | None = request.get("messages")
    if (request.get("prompt") is None) == (messages is None):
        raise InvalidArgumentError(
            "Either prompt or messages should be in create config but not both. Give messages=[{...}]."
        )
    if isinstance(messages, str):
        raise InvalidArgumentError('messages are a list: give [{"role": "user", "content": ...}].')
    if messages is None:
        prompt = {"role": "user", "content": request["prompt"]}
        request = {**{name: value for name, value in request.items() if name != "prompt"}, "messages": [prompt]}
        messages = [prompt]
    if not context:
        return request
    filled = [
        {**message, "content": instantiate(message["content"], context, is_format=is_format)}
        if message.get("content")
        else message
        for message in messages
    ]
    return {**request, "messages": filled}
