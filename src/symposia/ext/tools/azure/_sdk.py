"""Azure's SDK for searches, imported when something of it is needed."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from symposia._lazy import explained_names
from symposia.core.exceptions import InvalidArgumentError, MissingExtraError

__all__ = ["SDKObject", "VectorizableTextQuery", "sdk_clients", "sdk_credential", "sdk_models"]

SDKObject: TypeAlias = Any  # Any: of an optional dependency

if TYPE_CHECKING:
    from azure.search.documents.models import VectorizableTextQuery
else:
    _explain = explained_names(__name__)

    def __getattr__(name: str) -> object:
        """The SDK's own class, which AutoGen exports too."""
        return sdk_models().VectorizableTextQuery if name == "VectorizableTextQuery" else _explain(name)


def sdk_models() -> SDKObject:
    """The classes of queries.

    Raises:
        MissingExtraError: The SDK is not installed.
    """
    try:
        return import_module("azure.search.documents.models")
    except ImportError as error:
        raise MissingExtraError("AzureAISearchTool", "azure-search") from error


def sdk_clients() -> SDKObject:
    """The classes of clients. Call it in a thread: Python runs a program once, to learn the name of the system."""
    platform.platform()  # the client asks for it, on the event loop
    return import_module("azure.search.documents.aio")


def sdk_credential(given: SDKObject) -> SDKObject:
    """A credential of the SDK, which may be given as ``{"api_key": "…"}``.

    Raises:
        InvalidArgumentError: The dictionary has no key.
    """
    if not isinstance(given, Mapping):
        return given
    key = cast("Mapping[str, object]", given).get("api_key")
    if not isinstance(key, str) or not key:
        raise InvalidArgumentError('credential is a dictionary without a key: give {"api_key": "…"}.')
    return import_module("azure.core.credentials").AzureKeyCredential(key)
