"""Tokens of Microsoft Entra ID for Azure's services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from pydantic import BaseModel
from typing_extensions import override

from symposia._lazy import explained_names, is_installed, lazy_module
from symposia.core import Component
from symposia.core.argument_checks import check_each
from symposia.core.exceptions import ArgumentTypeError, ComponentError, InvalidArgumentError, MissingExtraError

if TYPE_CHECKING:
    from azure.core import credentials
else:
    credentials = lazy_module("azure.core.credentials")
    __getattr__ = explained_names(__name__)

__all__ = ["AzureTokenProvider", "TokenProviderConfig"]

SAVED_KIND: Final = "DefaultAzureCredential"
"""The kind of credential that is saved: it takes what it needs from the machine, and others from the program."""

EXAMPLE_SCOPE: Final = "https://cognitiveservices.azure.com/.default"
"""The scope of Azure OpenAI and of Azure's other AI services."""


class TokenProviderConfig(BaseModel, defer_build=True):
    """The configuration of an `AzureTokenProvider`.

    Attributes:
        provider_kind: The class of the credential: ``DefaultAzureCredential``.
        scopes: The scopes of its tokens.
    """

    provider_kind: str
    scopes: list[str]


class AzureTokenProvider(Component[TokenProviderConfig]):
    """Gives tokens of a credential of Azure's SDK, and renews them before they expire.

    A call may ask the network, and blocks until it has a token. `AzureOpenAIChatCompletionClient` makes it in a worker
    thread::

        provider = AzureTokenProvider(DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default")
        client = AzureOpenAIChatCompletionClient(model="gpt-4o", azure_ad_token_provider=provider, ...)

    Args:
        credential: A credential of `azure.identity`.
        scopes: The scopes of the tokens, one at least.

    Raises:
        ArgumentTypeError: `credential` gives no tokens, such as a key or a class, or a scope is no text.
        InvalidArgumentError: There is no scope.
        MissingExtraError: Azure's SDK is not installed.
    """

    component_type = "token_provider"
    component_config_schema = TokenProviderConfig

    def __init__(self, credential: credentials.TokenCredential | credentials.SupportsTokenInfo, *scopes: str) -> None:
        _check_installed()
        _check_credential(credential)
        check_each("scopes", "AzureTokenProvider", scopes, str, repr(EXAMPLE_SCOPE))
        if not scopes:
            raise InvalidArgumentError(f"AzureTokenProvider has no scope: give that of the service, {EXAMPLE_SCOPE!r}.")
        from azure.identity import get_bearer_token_provider  # noqa: PLC0415 - the SDK is heavy and optional

        self._kind = type(credential).__name__
        self._scopes = list(scopes)
        self._token = get_bearer_token_provider(credential, *scopes)

    def __call__(self) -> str:
        """A token that is valid now.

        Raises:
            azure.core.exceptions.ClientAuthenticationError: The credential gives none.
        """
        return self._token()

    @override
    def _to_config(self) -> TokenProviderConfig:
        if self._kind != SAVED_KIND:
            raise ComponentError(
                f"AzureTokenProvider cannot be saved with a {self._kind}, whose secrets JSON must not hold. Use "
                f"{SAVED_KIND}, or make the provider where the component is loaded."
            )
        return TokenProviderConfig(provider_kind=self._kind, scopes=self._scopes)

    @classmethod
    @override
    def _from_config(cls, config: TokenProviderConfig) -> Self:
        if config.provider_kind != SAVED_KIND:
            raise ComponentError(
                f"AzureTokenProvider cannot be loaded with a {config.provider_kind!r}: only {SAVED_KIND} can be saved."
            )
        _check_installed()
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - the SDK is heavy and optional

        return cls(DefaultAzureCredential(), *config.scopes)


def _check_installed() -> None:
    if not is_installed("azure.identity"):
        raise MissingExtraError("AzureTokenProvider", "azure")


def _check_credential(given: object) -> None:
    if isinstance(given, type) or not (hasattr(given, "get_token") or hasattr(given, "get_token_info")):
        kind = f"the class {given.__name__}" if isinstance(given, type) else f"of type {type(given).__name__}"  # no key
        raise ArgumentTypeError(
            f"The credential of an AzureTokenProvider is {kind}, which gives no tokens: give one of azure.identity, "
            "such as DefaultAzureCredential(). A key is given to the client itself, as api_key."
        )
