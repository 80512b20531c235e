"""The clients of OpenAI's SDK for an entry of a configuration list, for what OpenAI's service has besides models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from symposia.core.exceptions import InvalidArgumentError, MissingExtraError
from symposia.v02._azure_credentials import token_provider
from symposia.v02._plain import call_in_thread

if TYPE_CHECKING:
    import openai

CONNECTION: Final = frozenset({
    "api_key", "base_url", "default_headers", "default_query", "max_retries", "organization", "project", "timeout",
})  # fmt: skip
AZURE_CONNECTION: Final = CONNECTION - {"project"} | {
    "api_version", "azure_ad_token", "azure_ad_token_provider", "azure_endpoint",
}  # fmt: skip
"""Without the deployment, which is part of no address of assistants."""


def openai_clients(config: Mapping[str, Any]) -> tuple[openai.OpenAI, openai.AsyncOpenAI]:  # Any: values of a program
    """The plain and the asynchronous client of an entry, for OpenAI or for Azure.

    Args:
        config: The entry, with what it shares with others.

    Raises:
        InvalidArgumentError: It has an `http_client`, or the `api_type` of another vendor.
        MissingExtraError: OpenAI's SDK is not installed, or Azure's for ``azure_ad_token_provider="DEFAULT"``.
        openai.OpenAIError: It has no key.
    """
    api_type = str(config.get("api_type") or "openai").lower()
    if not api_type.startswith(("openai", "open_ai", "azure")):
        raise InvalidArgumentError(f"Assistants are at OpenAI or Azure, not at {api_type!r}: give another entry first.")
    if config.get("http_client") is not None:
        raise InvalidArgumentError(
            "An agent with an assistant has two clients, and http_client is for one: leave it out. The environment "
            "variable HTTPS_PROXY names a proxy, SSL_CERT_FILE certificates."
        )
    try:
        import openai  # noqa: PLC0415 - takes a second
    except ImportError as error:
        raise MissingExtraError("An assistant of OpenAI", "openai") from error
    if api_type.startswith("azure"):
        options = _given(config, AZURE_CONNECTION)
        if "base_url" in options:
            options["azure_endpoint"] = options.pop("base_url")
        if (given := options.pop("azure_ad_token_provider", None)) is None:
            return openai.AzureOpenAI(**options), openai.AsyncAzureOpenAI(**options)
        provider = token_provider(given)  # asked in a thread by the asynchronous client, since it may block
        return (
            openai.AzureOpenAI(**options, azure_ad_token_provider=provider),
            openai.AsyncAzureOpenAI(**options, azure_ad_token_provider=lambda: call_in_thread(provider)),
        )
    options = _given(config, CONNECTION)
    return openai.OpenAI(**options), openai.AsyncOpenAI(**options)


def _given(config: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:  # Any: as above
    return {name: value for name, value in config.items() if name in names and value is not None}
