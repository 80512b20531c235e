"""Which names of a configuration stand for credentials and addresses: no log and no key of a cache has their values."""

from __future__ import annotations

from typing import Final

SECRETS: Final = frozenset({
    "admin_api_key", "api_key", "authorization", "aws_access_key", "aws_access_key_id", "aws_secret_access_key",
    "aws_secret_key", "aws_session_token", "azure_ad_token", "azure_ad_token_provider", "azure_endpoint", "base_url",
    "client_host", "cookie", "credentials", "default_headers", "default_query", "extra_headers", "extra_query",
    "gcp_access_token", "gcp_auth_token", "http_client", "http_options", "organization", "proxy_authorization",
    "webhook_secret", "websocket_base_url", "workload_identity", "x_api_key", "x_goog_api_key",
})  # fmt: skip


def is_secret(name: object) -> bool:
    """Whether a key, an attribute or a header has such a name: ``Api-Key`` and ``_api_key`` are ``api_key``."""
    return str(name).lower().replace("-", "_").strip("_") in SECRETS
