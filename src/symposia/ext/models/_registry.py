"""The vendors of models: one entry each, read by the command line, the doctor, the presets and the documentation.

A vendor is known by its name, as in ``anthropic/claude-sonnet-5-5``, or by the names of its models. Its entry says how
to make a client, and what a client needs. Other distributions offer vendors by entry points of the group
``symposia.model_vendors``, each of them a `ModelVendor`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Final

from symposia.core.exceptions import InvalidArgumentError, MissingExtraError, UsageError
from symposia.core.models import ChatCompletionClient
from symposia.ext._registry import Registry, check_entry_name
from symposia.ext.models._options import is_installed

# Names instead of imports, so that importing the registry imports none of them.
_BUILT_IN: Final = (
    "symposia.ext.models.anthropic:VENDOR",
    "symposia.ext.models.openai:VENDOR",
    "symposia.ext.models.gemini:VENDOR",
    "symposia.ext.models.vendors._google:VENDOR",
    "symposia.ext.models.vendors._meta:VENDOR",
    "symposia.ext.models.vendors._anthropic_openai:VENDOR",
    "symposia.ext.models.ollama:VENDOR",
)


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

    Raises:
        InvalidArgumentError: `name` has a space or a slash, or `models` is not a regular expression.
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

    def __post_init__(self) -> None:
        check_entry_name("model vendor", self.name)
        try:
            re.compile(self.models)
        except (re.error, TypeError) as error:
            raise InvalidArgumentError(
                f"The models of the vendor {self.name!r} are not a regular expression: {self.models!r}"
            ) from error

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
        """Whether the SDK is installed."""
        return is_installed(self.sdk)

    def problems(self, environment: Mapping[str, str] = os.environ) -> list[str]:
        """The reasons why no client can be made here, each with its remedy; empty if there are none."""
        found: list[str] = []
        if not self.is_installed():
            found.append(f"the SDK is not installed: pip install 'symposia[{self.extra}]'")
        if not self.has_key(environment):
            found.append(f"{self.key} is not set")
        return found


_vendors: Final = Registry(
    ModelVendor, what="model vendor", group="symposia.model_vendors", built_in=lambda: map(resolve_name, _BUILT_IN)
)


def register_vendor(vendor: ModelVendor) -> None:
    """Add a vendor to the registry of this process, in place of one of its name that a distribution offers.

    Raises:
        ArgumentTypeError: It is not a `ModelVendor`, such as `compatible_vendor` makes.
        RegistrationError: A built-in vendor or one that was registered has its name.
    """
    _vendors.register(vendor)


def unregister_vendor(name: str) -> None:
    """Remove a vendor that `register_vendor` added.

    Raises:
        RegistrationError: There is none of this name.
    """
    _vendors.unregister(name)


def model_vendors() -> list[ModelVendor]:
    """All vendors: the built-in ones, those registered, and those that other distributions offer by entry points.

    The first call searches the installed distributions, which reads files. A vendor that cannot be loaded is a
    `UserWarning`.
    """
    return list(_vendors.all().values())


def chosen_vendors() -> list[ModelVendor]:
    """The built-in vendors and those registered, without those that a distribution offers.

    A client that is given the name of a model alone is sent to one of these: that a package is installed, or that
    something has searched for vendors, must not decide where its messages and its API key go.
    """
    return list(_vendors.without_offered().values())


def find_vendor(name: str) -> tuple[ModelVendor, str]:
    """The vendor of a model, and the model's name there.

    Args:
        name: ``vendor/model``, or the name of a model that belongs to one vendor only.

    Raises:
        InvalidArgumentError: No vendor is known for it.
    """
    prefix, slash, model = name.partition("/")
    vendors = _vendors.all()
    if slash and model and prefix in vendors:
        return vendors[prefix], model
    serving = next((vendor for vendor in vendors.values() if vendor.serves(name)), None)
    if serving is not None:
        return serving, name
    raise InvalidArgumentError(
        f"No vendor is known for the model {name!r}. Put one of the vendors before it: {', '.join(vendors)}. "
        "A server that uses OpenAI's format is openai/NAME, with its address in OPENAI_BASE_URL."
    )


def default_vendor(environment: Mapping[str, str] = os.environ) -> ModelVendor:
    """The first vendor whose SDK is installed and whose API key is set.

    Raises:
        MissingExtraError: There is none, but an SDK is all that one of them lacks.
        UsageError: There is none; the text says what each lacks.
    """
    vendors = [vendor for vendor in model_vendors() if vendor.key is not None]
    ready = next((vendor for vendor in vendors if not vendor.problems(environment)), None)
    if ready is not None:
        return ready
    without_sdk = next((vendor for vendor in vendors if vendor.has_key(environment)), None)
    if without_sdk is not None:
        raise MissingExtraError(
            f"A model of {without_sdk.title}, whose key is in {without_sdk.key},", without_sdk.extra
        )
    reasons = "".join(f"\n- {vendor.name}: {'; '.join(vendor.problems(environment))}" for vendor in vendors)
    raise UsageError(f"No vendor of models can be used. Set the API key of one of them:{reasons}")
