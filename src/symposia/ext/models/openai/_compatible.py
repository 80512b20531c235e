"""Vendors whose service uses OpenAI's format, found by the address of the service or the name of a model."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from symposia.ext.models._profiles import ModelCatalog
from symposia.ext.models._registry import ModelVendor, known_vendors
from symposia.ext.models.openai._profiles import OpenAIProfile


@dataclass(frozen=True, kw_only=True)
class CompatibleVendor(ModelVendor):
    """A vendor whose service uses OpenAI's format; `compatible_vendor` makes one.

    Attributes:
        base_url: The address of the service.
        provider: The vendor's name in OpenTelemetry's conventions for generative AI.
        catalog: The profiles of its models.
    """

    base_url: str
    provider: str
    catalog: ModelCatalog[OpenAIProfile]

    @property
    def address(self) -> str:
        """The address that requests go to: `base_url`, unless the environment says otherwise."""
        return (self.address_variable and os.environ.get(self.address_variable)) or self.base_url


def vendor_at(address: str) -> CompatibleVendor | None:
    """The vendor whose service has this address."""
    return _first(lambda vendor: vendor.address.rstrip("/") == address.rstrip("/"))


def vendor_of_model(model: str) -> CompatibleVendor | None:
    """The vendor whose models have names like this."""
    return _first(lambda vendor: vendor.serves(model))


def _first(matches: Callable[[CompatibleVendor], bool]) -> CompatibleVendor | None:
    return next(filter(matches, _compatible_vendors()), None)


def _compatible_vendors() -> Iterator[CompatibleVendor]:
    return (vendor for vendor in known_vendors() if isinstance(vendor, CompatibleVendor))
