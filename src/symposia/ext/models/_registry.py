"""The vendors of models: one entry each, read by the command line, the doctor, the presets and the documentation.

A vendor is known by its name, as in ``anthropic/claude-sonnet-5-5``, or by the names of its models. Its entry says how
to make a client, and what a client needs. Built-in entries and those of other distributions have the same form and are
loaded when they are asked for: entry points of the group ``symposia.model_vendors``, each of them a `ModelVendor`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from symposia.core.exceptions import InvalidArgumentError, RegistrationError, UsageError
from symposia.core.models import ChatCompletionClient

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP: Final = "symposia.model_vendors"
"""The group of entry points under which a distribution offers its vendors."""

_BUILT_IN: Final = {
    "anthropic": "symposia.ext.models.anthropic:VENDOR",
    "openai": "symposia.ext.models.openai:VENDOR",
    "google": "symposia.ext.models.vendors._google:VENDOR",
    "meta": "symposia.ext.models.vendors._meta:VENDOR",
    "anthropic-openai": "symposia.ext.models.vendors._anthropic_openai:VENDOR",
}
_registered: Final[dict[str, ModelVendor]] = {}


@dataclass(frozen=True, kw_only=True)
class ModelVendor:
    """A vendor of models.

    Attributes:
        name: The name before the slash in ``vendor/model``.
        title: The vendor's name as the vendor writes it.
        models: A regular expression that the names of its models begin with; those of no other vendor should.
        default_model: The model to use where none is named.
        make: Makes a client, from ``model=`` and the options of that client.
        key: The environment variable that holds the API key; None where none is needed.
        address_variable: The environment variable with another address to send requests to, if there is one.
        sdk: The module of the vendor's SDK.
        extra: The extra of the distribution that installs it.
    """

    name: str
    title: str
    models: str
    default_model: str
    make: Callable[..., ChatCompletionClient]
    key: str | None
    address_variable: str | None = None
    sdk: str
    extra: str

    def serves(self, model: str) -> bool:
        """Whether a model's name is one of this vendor's."""
        return re.match(self.models, model) is not None

    def make_client(self, model: str, **options: object) -> ChatCompletionClient:
        """Make a client of one of its models.

        Raises:
            MissingExtraError: The SDK is not installed.
            UsageError: There is no API key.
        """
        return self.make(model=model, **options)

    def has_key(self, environment: Mapping[str, str] = os.environ) -> bool:
        """Whether the API key is set, or none is needed."""
        return self.key is None or bool(environment.get(self.key))

    def is_installed(self) -> bool:
        """Whether the SDK is installed. It is not imported."""
        return find_spec(self.sdk) is not None

    def problems(self, environment: Mapping[str, str] = os.environ) -> list[str]:
        """The reasons why no client can be made here, each with its remedy; empty if there are none."""
        found: list[str] = []
        if not self.is_installed():
            found.append(f"the SDK is not installed: pip install 'symposia[{self.extra}]'")
        if not self.has_key(environment):
            found.append(f"{self.key} is not set")
        return found


def register_vendor(vendor: ModelVendor) -> None:
    """Add a vendor to the registry of this process.

    Raises:
        RegistrationError: Another vendor has its name.
    """
    if vendor.name in _BUILT_IN or _registered.setdefault(vendor.name, vendor) is not vendor:
        raise RegistrationError(f"A model vendor named {vendor.name!r} is registered already.")


def unregister_vendor(name: str) -> None:
    """Remove a vendor that `register_vendor` added.

    Raises:
        RegistrationError: There is none of this name.
    """
    if _registered.pop(name, None) is None:
        raise RegistrationError(f"No model vendor named {name!r} was registered.")


def model_vendors() -> list[ModelVendor]:
    """All vendors: the built-in ones, those registered, and those that other distributions offer by entry points.

    The first call searches the installed distributions, which reads files.
    """
    _register_offered()
    return known_vendors()


def known_vendors() -> list[ModelVendor]:
    """The vendors that are known so far: as `model_vendors`, without a search."""
    return [*_built_in(), *_registered.values()]


def find_vendor(name: str) -> tuple[ModelVendor, str]:
    """The vendor of a model, and the model's name there.

    Args:
        name: ``vendor/model``, or the name of a model that belongs to one vendor only.

    Raises:
        InvalidArgumentError: No vendor is known for it.
    """
    prefix, slash, model = name.partition("/")
    vendors = model_vendors()
    if slash and model:
        named = next((vendor for vendor in vendors if vendor.name == prefix), None)
        if named is not None:
            return named, model
    serving = next((vendor for vendor in vendors if vendor.serves(name)), None)
    if serving is not None:
        return serving, name
    names = ", ".join(vendor.name for vendor in vendors)
    raise InvalidArgumentError(
        f"No vendor is known for the model {name!r}. Put one of the vendors before it: {names}. "
        "A server that uses OpenAI's format is openai/NAME, with its address in OPENAI_BASE_URL."
    )


def default_vendor(environment: Mapping[str, str] = os.environ) -> ModelVendor:
    """The first vendor whose SDK is installed and whose API key is set.

    Raises:
        UsageError: There is none.
    """
    vendors = [vendor for vendor in model_vendors() if vendor.key is not None]
    ready = next((vendor for vendor in vendors if not vendor.problems(environment)), None)
    if ready is not None:
        return ready
    keys = " or ".join(dict.fromkeys(str(vendor.key) for vendor in vendors))
    raise UsageError(f"No vendor of models can be used: set one of the environment variables {keys}.")


# Built-in vendors are loaded as those of other distributions are, so that importing the registry imports none of them,
# and the one way of loading is in use from the first day.
@cache
def _built_in() -> tuple[ModelVendor, ...]:
    from importlib.metadata import EntryPoint  # noqa: PLC0415 - takes 10 ms to import

    return tuple(_load(EntryPoint(name=name, value=value, group=GROUP)) for name, value in _BUILT_IN.items())


@cache
def _register_offered() -> None:
    from importlib.metadata import entry_points  # noqa: PLC0415 - takes 10 ms to import

    for entry in entry_points(group=GROUP):
        vendor = _load(entry)
        # An installed distribution cannot take the place of a built-in vendor or of one that the program registered:
        # the API keys of the environment would go to the address that it names.
        if vendor.name not in _BUILT_IN:
            _registered.setdefault(vendor.name, vendor)


def _load(entry: EntryPoint) -> ModelVendor:
    vendor: object = entry.load()
    if not isinstance(vendor, ModelVendor):
        raise RegistrationError(f"The entry point {entry.value!r} in {GROUP} is not a ModelVendor.")
    return vendor
