"""Vendors whose service uses OpenAI's format, found by the address of the service or the name of a model.

Such a vendor is data: `compatible_vendor` makes its entry of the registry, and `OpenAIChatCompletionClient` asks its
models at its address, with its key and its profiles.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import ChatCompletionClient, ModelFamily, TokenPrice
from symposia.ext.models._profiles import ModelCatalog
from symposia.ext.models._registry import ModelVendor, VendorSetting, chosen_vendors, model_vendors
from symposia.ext.models._service import is_address, public_address
from symposia.ext.models.openai._profiles import CATALOG, OpenAIProfile

SERVER: Final = "openai-compatible"
"""What the name of a model begins with that a server serves which is named by its address."""


@dataclass(frozen=True, kw_only=True)
class CompatibleVendor(ModelVendor):
    """A vendor whose service uses OpenAI's format; `compatible_vendor` makes one.

    Attributes:
        base_url: The address of the service.
        provider: The vendor's name in OpenTelemetry's conventions for generative AI.
        catalog: The profiles of its models.

    Raises:
        ArgumentTypeError: `base_url` is not a text.
        InvalidArgumentError: `base_url` does not begin with ``https://`` or ``http://``, or has no host.
    """

    base_url: str
    provider: str
    catalog: ModelCatalog[OpenAIProfile] = field()  # pyright: ignore[reportGeneralTypeIssues] - not optional here
    # Again, for this module evaluates the annotations of the constructor.
    make: Callable[..., ChatCompletionClient]
    settings: tuple[VendorSetting, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_address(self.name, self.base_url)

    @property
    def address(self) -> str:
        """The address that requests go to: `base_url`, unless the environment says otherwise."""
        return (self.address_variable and os.environ.get(self.address_variable)) or self.base_url


def _check_address(vendor: str, given: object) -> None:
    wanted = "give an address that begins with https:// or http://, such as 'https://models.acme.example/v1'."
    problem = f"base_url of the vendor {vendor!r} is {given!r}: {wanted}"
    if not isinstance(given, str):
        raise ArgumentTypeError(problem)
    if not is_address(given):
        raise InvalidArgumentError(problem)


def vendor_at(address: str) -> CompatibleVendor | None:
    """The vendor whose service has this address, those included that other distributions offer.

    The program has named the address, so who offers a vendor for it decides nothing but the key and the profiles. The
    search reads files, once in a process, as does importing the SDK, which making a client does too.
    """
    for vendor in _compatible(model_vendors()):
        if vendor.address.rstrip("/") == address.rstrip("/"):
            return vendor
    return None


def vendor_of_model(model: str) -> CompatibleVendor | None:
    """The vendor whose models have names like this, of the built-in and the registered ones; see `chosen_vendors`."""
    return next((vendor for vendor in _compatible(chosen_vendors()) if vendor.serves(model)), None)


def _compatible(vendors: Iterable[ModelVendor]) -> Iterator[CompatibleVendor]:
    return (vendor for vendor in vendors if isinstance(vendor, CompatibleVendor))


def compatible_vendor(
    *,
    name: str,
    title: str,
    base_url: str,
    key: str | None,
    models: str,
    default_model: str,
    profiles: Mapping[str, OpenAIProfile] | ModelCatalog[OpenAIProfile],
    otherwise: OpenAIProfile | None = None,
    prices: Mapping[str, TokenPrice] = {},
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
        profiles: The profiles of its models, by the beginnings of their names, or a catalog of them.
        otherwise: The profile of models that resemble none of them; text only, with 32,768 tokens, by default.
        prices: US dollars for a million tokens, by the full names of the models; a catalog has its own.
        provider: The vendor's name in OpenTelemetry's conventions for generative AI; by default `name`.
        address_variable: An environment variable that may hold another address.

    Raises:
        ArgumentTypeError: The name or the address is not a text.
        InvalidArgumentError: The name has a space or a slash, the address has no scheme or host, or `models` is not a
            regular expression.
    """
    unknown = OpenAIProfile(
        family=ModelFamily.UNKNOWN, context=32_768, max_output=8_192, vision=False, structured_output=False
    )

    catalog = (
        profiles
        if isinstance(profiles, ModelCatalog)
        else ModelCatalog(title, profiles, otherwise=otherwise or unknown, prices=prices, name=name)
    )

    def make(*, model: str, **options: object) -> ChatCompletionClient:
        from symposia.ext.models.openai._client import OpenAIChatCompletionClient  # noqa: PLC0415 - it looks in here

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
        catalog=catalog,
    )
    return vendor


def compatible_server(address: str, model: str) -> ModelVendor:
    """An entry for the server at an address, which uses OpenAI's format and need not be registered.

    Its profiles are those of the vendor that the name of the model tells, as for a client.

    Where the address is that of a vendor, it is that vendor's entry. Any other server gets the key in
    ``OPENAI_API_KEY``, if there is one.

    Raises:
        InvalidArgumentError: The address does not begin with ``https://`` or ``http://``, or has no host.
    """
    _check_address(SERVER, address)
    known = vendor_at(address)
    if known is not None:
        return known

    maker = None if CATALOG.knows(model) else vendor_of_model(model)

    def make(*, model: str, **options: object) -> ChatCompletionClient:
        from symposia.ext.models.openai._client import KEY, OpenAIChatCompletionClient  # noqa: PLC0415 - it looks in here

        key = os.environ.get(KEY) or "none"  # the SDK refuses to have none, and servers without keys read no key
        return OpenAIChatCompletionClient(**{"model": model, "base_url": address, "api_key": key, **options})  # pyright: ignore[reportArgumentType] - the caller's options

    return ModelVendor(
        name=SERVER,
        title=f"the server at {public_address(address)}",
        models=r"(?!)",
        default_model=None,
        make=make,
        key=None,
        sdk="openai",
        extra="openai",
        catalog=CATALOG if maker is None else maker.catalog,
    )
