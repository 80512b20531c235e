"""What gives the tokens for Azure: a function of the program, or ``"DEFAULT"``, the credentials of the machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from symposia.core.exceptions import MissingExtraError

DEFAULT: Final = "DEFAULT"
"""The ``azure_ad_token_provider`` that stands for the credentials of the machine."""
COGNITIVE_SERVICES: Final = "https://cognitiveservices.azure.com/.default"


def token_provider(given: object) -> Callable[[], str]:
    """The function that an ``azure_ad_token_provider`` of a configuration is, or stands for. It may block.

    Raises:
        MissingExtraError: Azure's SDK is not installed.
    """
    if given != DEFAULT:
        return cast("Callable[[], str]", given)
    try:
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - only such configurations need it
    except ImportError as error:
        raise MissingExtraError("azure_ad_token_provider='DEFAULT'", "azure") from error
    from symposia.ext.auth.azure import AzureTokenProvider  # noqa: PLC0415 - see above

    return AzureTokenProvider(DefaultAzureCredential(), COGNITIVE_SERVICES)
