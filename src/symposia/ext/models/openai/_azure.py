"""The client of OpenAI's models that Azure serves."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Unpack, cast

from symposia import __version__
from symposia._lazy import lazy_module
from symposia.core import call_function
from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.auth.azure import AzureTokenProvider
from symposia.ext.models._credentials import SharedCall, no_token, token_of
from symposia.ext.models._options import ClientOptions, check_key, missing_key
from symposia.ext.models.openai._client import BaseOpenAIChatCompletionClient
from symposia.ext.models.openai._options import AZURE_CONNECTION, AzureOpenAIClientConfiguration, chat_option_names

if TYPE_CHECKING:
    import openai
else:
    openai = lazy_module("openai")

AZURE_OPENAI_USER_AGENT: Final = f"symposia/{__version__}"
"""What requests to Azure say of the program that sends them, before the SDK's own words."""

KEY: Final = "AZURE_OPENAI_API_KEY"
TOKEN: Final = "AZURE_OPENAI_AD_TOKEN"  # noqa: S105 - the variable's name
VARIABLES: Final = {KEY: "api_key", TOKEN: "azure_ad_token"}
CREDENTIALS: Final = ("api_key", "azure_ad_token", "azure_ad_token_provider")

TokenProvider = Callable[[], "str | Awaitable[str]"]


class AzureOpenAIChatCompletionClient(BaseOpenAIChatCompletionClient):
    """A client of OpenAI's models that Azure serves.

    The options are those of `AzureOpenAIClientConfiguration`, and any other argument of Chat Completions::

        client = AzureOpenAIChatCompletionClient(
            model="gpt-4o",
            azure_endpoint="https://name.openai.azure.com",
            azure_deployment="my-deployment",
            api_version="2024-10-21",
        )

    Raises:
        MissingExtraError: The SDK is not installed.
        InvalidArgumentError: An option is unknown, no model is named, there are several credentials, or no address or
            no version.
        CredentialsError: There is no credential.
    """

    component_secrets = frozenset({"api_key", "azure_ad_token"})
    _unknown_advice = (
        "If that is wrong, give the deployment's model as model=, beside azure_deployment= or the name "
        "azure/DEPLOYMENT; or give model_info=."
    )

    def __init__(self, **options: Unpack[AzureOpenAIClientConfiguration]) -> None:
        given = ClientOptions.read(self, options, sdk="openai", names=partial(chat_option_names, AZURE_CONNECTION))
        super().__init__(
            _connect(given.model, given.connection),
            create_args=given.arguments,
            deployment=given.connection.get("azure_deployment"),
            **given.behaviour,
        )


def _connect(model: str, connection: dict[str, Any]) -> openai.AsyncAzureOpenAI:
    from openai import AsyncAzureOpenAI  # noqa: PLC0415 - takes a second

    _check_credentials(model, connection)
    _check_place(connection)
    headers = cast("Mapping[str, str]", connection.get("default_headers") or {})
    provider: TokenProvider | None = connection.get("azure_ad_token_provider")
    given: dict[str, Any] = {**connection, "default_headers": _with_user_agent(headers)}
    if provider is not None:
        given["azure_ad_token_provider"] = _tokens_of(provider)
    return AsyncAzureOpenAI(**given)


def _check_credentials(model: str, connection: Mapping[str, object]) -> None:
    credentials = [name for name in CREDENTIALS if connection.get(name)]
    if len(credentials) > 1:
        raise InvalidArgumentError(f"Give one of {' and '.join(credentials)}: they are different credentials.")
    if not credentials and not os.environ.get(KEY) and not os.environ.get(TOKEN):
        raise missing_key(model, KEY, options="api_key=, azure_ad_token= or azure_ad_token_provider=")
    for variable, name in VARIABLES.items():
        check_key(model, connection.get(name) or os.environ.get(variable), variable)


def _check_place(connection: Mapping[str, object]) -> None:
    # The SDK says so as well, and only of the first of them.
    places = ("azure_endpoint", "base_url")
    if all(connection.get(place) is None for place in places) and not os.environ.get("AZURE_OPENAI_ENDPOINT"):
        raise InvalidArgumentError("Give azure_endpoint=, the address of the resource, or set AZURE_OPENAI_ENDPOINT.")
    if not connection.get("api_version") and not os.environ.get("OPENAI_API_VERSION"):
        raise InvalidArgumentError("Give api_version=, such as '2024-10-21', or set OPENAI_API_VERSION.")


def _with_user_agent(headers: Mapping[str, str]) -> dict[str, str]:
    own = next((name for name in headers if name.lower() == "user-agent"), None)
    agent = AZURE_OPENAI_USER_AGENT if own is None else f"{AZURE_OPENAI_USER_AGENT} {headers[own]}"
    return {**{name: value for name, value in headers.items() if name != own}, "User-Agent": agent}


def _tokens_of(provider: TokenProvider) -> Callable[[], Awaitable[str]]:
    """What gives the tokens of a provider without blocking the event loop.

    Azure's own providers ask the network, or run a program, whenever a token has to be renewed, and nothing tells which
    call that will be. So each call is made in a worker thread, which takes less than a tenth of a millisecond. The
    requests that need a token at the same time share one of an `AzureTokenProvider`. Any other provider is called for
    each of them, since it may give each its own, such as the token of the user whom the request is for.
    """
    ask = SharedCall(provider) if isinstance(provider, AzureTokenProvider) else partial(call_function, provider)

    async def token() -> str:
        given = await token_of(ask())
        if not isinstance(given, str) or not given:  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
            raise no_token(f"the provider gave {type(given).__name__} and no text")
        return given

    return token
