"""OpenAI as an entry of the registry, and the entries of vendors whose services use its format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from symposia.core.models import ModelFamily
from symposia.ext.models._profiles import ModelCatalog
from symposia.ext.models._registry import ModelVendor
from symposia.ext.models.openai._client import KEY, OpenAIChatCompletionClient
from symposia.ext.models.openai._compatible import CompatibleVendor
from symposia.ext.models.openai._profiles import OpenAIProfile

VENDOR: Final = ModelVendor(
    name="openai",
    title="OpenAI",
    models=r"gpt-|chatgpt-|codex-|o\d",
    default_model="gpt-5.5",
    make=OpenAIChatCompletionClient,
    key=KEY,
    address_variable="OPENAI_BASE_URL",
    sdk="openai",
    extra="openai",
)


def compatible_vendor(
    *,
    name: str,
    title: str,
    base_url: str,
    key: str | None,
    models: str,
    default_model: str,
    profiles: Mapping[str, OpenAIProfile],
    otherwise: OpenAIProfile | None = None,
    provider: str | None = None,
    address_variable: str | None = None,
) -> CompatibleVendor:
    """An entry of the registry for a vendor whose service uses OpenAI's format.

    Args:
        name: The name before the slash in ``vendor/model``.
        title: The vendor's name as the vendor writes it.
        base_url: The address of the service, without ``/chat/completions``.
        key: The environment variable that holds the API key; None if none is needed.
        models: A regular expression that the names of its models begin with.
        default_model: The model to use where none is named.
        profiles: The profiles of its models, by the beginnings of their names.
        otherwise: The profile of models that resemble none of them; text only, with 32,768 tokens, by default.
        provider: The vendor's name in OpenTelemetry's conventions for generative AI; by default `name`.
        address_variable: An environment variable that may hold another address.
    """
    unknown = OpenAIProfile(
        family=ModelFamily.UNKNOWN, context=32_768, max_output=8_192, vision=False, structured_output=False
    )

    def make(*, model: str, **options: object) -> OpenAIChatCompletionClient:
        return OpenAIChatCompletionClient(**{"model": model, "base_url": vendor.address, **options})  # pyright: ignore[reportArgumentType] - the caller's options

    vendor = CompatibleVendor(
        name=name,
        title=title,
        models=models,
        default_model=default_model,
        make=make,
        key=key,
        address_variable=address_variable,
        sdk="openai",
        extra="openai",
        base_url=base_url,
        provider=provider or name,
        catalog=ModelCatalog(title, profiles, otherwise=otherwise or unknown),
    )
    return vendor
