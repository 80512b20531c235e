"""Profiles and prices of the models that LiteLLM knows, from the file that is installed with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from typing_extensions import override

from symposia.core.models import ModelFamily, TokenPrice
from symposia.ext.models._profile_data import make_price
from symposia.ext.models._profiles import ModelCatalog, ModelProfile
from symposia.ext.models._registry import ModelVendor, chosen_vendors

FILE: Final = "model_prices_and_context_window_backup.json"
MILLION: Final = 1_000_000
PRICES: Final = {
    "prompt": "input_cost_per_token",
    "completion": "output_cost_per_token",
    "cached": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}
OTHERWISE: Final = ModelProfile(
    family=ModelFamily.UNKNOWN, context=32_768, max_output=8_192, vision=False, structured_output=False
)
Entry = Mapping[str, Any]  # Any: JSON


@cache
def known_models() -> Mapping[str, Entry]:
    """The models in LiteLLM's own file, by their names there; none where LiteLLM is not installed.

    The file is found without importing LiteLLM, which takes seconds. Reading it takes some twenty milliseconds, for the
    first client of a process.
    """
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        return {}
    return json.loads(Path(spec.origin).with_name(FILE).read_text(encoding="utf-8"))


def vendor_of(model: str) -> ModelVendor | None:
    """The vendor of a model, where it is one of those that have a client here too."""
    prefix, _, rest = model.partition("/")
    vendors = {vendor.name: vendor for vendor in chosen_vendors() if vendor.name != "litellm"}
    return vendors.get(prefix) or next((one for one in vendors.values() if one.serves(rest or model)), None)


class LiteLLMCatalog(ModelCatalog[ModelProfile]):
    """LiteLLM's models: those of its file, and otherwise those that a vendor's catalog here knows."""

    def __init__(self) -> None:
        super().__init__("LiteLLM", {}, otherwise=OTHERWISE, name="litellm")

    @override
    def knows(self, model: str) -> bool:
        """See `ModelCatalog.knows`."""
        return super().knows(model) or _entry(model) is not None

    @override
    def price(self, model: str) -> TokenPrice | None:
        """See `ModelCatalog.price`."""
        stated = super().price(model)
        entry = _entry(model)
        if stated is not None or entry is None:
            return stated
        prices = {name: entry[field] * MILLION for name, field in PRICES.items() if entry.get(field)}
        return make_price(prices, model) if {"prompt", "completion"} <= prices.keys() else None

    @override
    def _known(self, model: str) -> ModelProfile:
        entry, like = _entry(model), _like(model)
        if entry is None:
            return like or OTHERWISE
        return ModelProfile(
            family=ModelFamily.UNKNOWN if like is None else like.family,
            context=entry.get("max_input_tokens") or OTHERWISE.context,
            max_output=entry.get("max_output_tokens") or OTHERWISE.max_output,
            vision=bool(entry.get("supports_vision")),
            function_calling=bool(entry.get("supports_function_calling")),
            structured_output=bool(entry.get("supports_response_schema")),
        )


def _entry(model: str) -> Entry | None:
    """What LiteLLM's file says of a model, under its whole name or without the vendor."""
    known = known_models()
    return known.get(model) or known.get(model.partition("/")[2])


def _like(model: str) -> ModelProfile | None:
    vendor = vendor_of(model)
    return None if vendor is None or vendor.catalog is None else vendor.catalog.find(model)


CATALOG: Final = LiteLLMCatalog()
