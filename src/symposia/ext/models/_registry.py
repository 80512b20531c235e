"""The vendors of models: one entry each, read by the command line, the doctor, the presets and the documentation.

A vendor's entry says how to make a client, and what a client needs; `_names` reads the names of models. Other
distributions offer vendors by entry points of the group ``symposia.model_vendors``, each of them a `ModelVendor`.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any, Final

from symposia._extras import install_command
from symposia._lazy import is_installed
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import ChatCompletionClient
from symposia.ext._registry import Registry, check_entry_name
from symposia.ext.models._profile_data import stated_profiles, stated_vendors
from symposia.ext.models._profiles import ModelCatalog

# Names instead of imports, so that importing the registry imports none of them.
_BUILT_IN: Final = (
    "symposia.ext.models.anthropic:VENDOR",
    "symposia.ext.models.openai:VENDOR",
    "symposia.ext.models.gemini:VENDOR",
    "symposia.ext.models.vendors._google:VENDOR",
    "symposia.ext.models.vendors._meta:VENDOR",
    "symposia.ext.models.vendors._anthropic_openai:VENDOR",
    "symposia.ext.models.mistral:VENDOR",
    "symposia.ext.models.ollama:VENDOR",
    "symposia.ext.models.openai:AZURE_VENDOR",
    "symposia.ext.models.azure:VENDOR",
    "symposia.ext.models.anthropic:BEDROCK_VENDOR",
    "symposia.ext.models.anthropic:VERTEX_VENDOR",
    "symposia.ext.models.bedrock:VENDOR",
    "symposia.ext.models.litellm:VENDOR",
    "symposia.ext.models.llama_cpp:VENDOR",
)


@dataclass(frozen=True, slots=True)
class VendorSetting:
    """Something that a client needs to be told, by the environment or by an option.

    Attributes:
        variables: The environment variables that can hold it; the first is the one that errors name.
        options: The options of the client that replace it.
    """

    variables: tuple[str, ...]
    options: tuple[str, ...]

    def is_set(self, environment: Mapping[str, str], given: Collection[str] = ()) -> bool:
        """Whether one of the variables is set, or one of the options is given."""
        return any(map(environment.get, self.variables)) or not set(self.options).isdisjoint(given)


@dataclass(frozen=True, kw_only=True)
class ModelVendor:
    """A vendor of models.

    Attributes:
        name: The name before the slash in ``vendor/model``.
        title: The vendor's name as the vendor writes it.
        models: A regular expression that the names of its models begin with; those of no other vendor should.
        default_model: The model to use where none is named; None where each user's models have names of their own.
        make: Makes a client, from the options of `named_by` and other options of that client.
        key: The environment variable that holds the API key; None where none is needed.
        settings: What a client needs, where that is not the key alone.
        address_variable: The environment variable with another address to send requests to, if there is one.
        sdk: The module of the vendor's SDK.
        extra: The extra of the distribution that installs it.
        catalog: The profiles of its models, for use without a client.
        named_by: The options of the client that the name of a model stands for, where they are not given.

    Raises:
        InvalidArgumentError: `name` has a space or a slash, or `models` is not a regular expression.
    """

    name: str
    title: str
    models: str
    default_model: str | None
    make: Callable[..., ChatCompletionClient]
    key: str | None
    settings: tuple[VendorSetting, ...] = ()
    address_variable: str | None = None
    sdk: str
    extra: str
    catalog: ModelCatalog[Any] | None = None  # Any: of the vendor's own class of profiles
    named_by: tuple[str, ...] = ("model",)

    def __post_init__(self) -> None:
        check_entry_name("model vendor", self.name)
        try:
            re.compile(self.models)
        except (re.error, TypeError) as error:
            raise InvalidArgumentError(
                f"The models of the vendor {self.name!r} are not a regular expression: {self.models!r}. Give one, such "
                "as 'acme-.*'."
            ) from error

    def serves(self, model: str) -> bool:
        """Whether a model's name is one of this vendor's."""
        return re.match(self.models, model) is not None

    def make_client(self, model: str, /, **options: object) -> ChatCompletionClient:
        """Make a client of one of its models.

        Args:
            model: The name of the model, or of the deployment.
            options: Those of the client.

        Raises:
            InvalidArgumentError: The options name another model.
            MissingExtraError: The SDK is not installed.
            UsageError: There is no API key.
        """
        named = {option: model for option in self.named_by if option not in options}
        if not named:
            given = " and ".join(f"{option}=" for option in self.named_by)
            raise InvalidArgumentError(
                f"The model is named twice, by {model!r} and by {given}. Leave {given} out, or change the name."
            )
        return self.make(**named, **options)

    def is_installed(self) -> bool:
        """Whether the SDK is installed."""
        return is_installed(self.sdk)

    @property
    def needs(self) -> tuple[VendorSetting, ...]:
        """What a client needs: `settings`, or the key alone."""
        return self.settings or (() if self.key is None else (VendorSetting((self.key,), ("api_key",)),))

    def missing_settings(
        self, environment: Mapping[str, str] = os.environ, given: Collection[str] = ()
    ) -> list[VendorSetting]:
        """What a client needs and is told neither by the environment nor by the options that are given.

        Args:
            environment: The environment variables.
            given: The names of the options.
        """
        return [setting for setting in self.needs if not setting.is_set(environment, given)]

    def problems(self, environment: Mapping[str, str] = os.environ, given: Collection[str] = ()) -> list[str]:
        """The reasons why no client can be made here, each with its remedy; empty if there are none.

        Args:
            environment: The environment variables.
            given: The names of the options that the client will be given.
        """
        found: list[str] = []
        if not self.is_installed():
            found.append(f"the SDK is not installed: {install_command(self.extra)}")
        found += [f"{setting.variables[0]} is not set" for setting in self.missing_settings(environment, given)]
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


def model_profile_problems() -> list[str]:
    """What is wrong with the profiles that the user states: unknown vendors, unknown fields, wrong values.

    A client of such a model is refused when it is made. A section for a vendor that does not exist is used by none, and
    said here alone, since a program may register its vendor later.
    """
    try:
        sections = stated_vendors()
    except InvalidArgumentError as error:
        return [str(error)]
    vendors = {vendor.name: vendor for vendor in model_vendors()}
    catalogs = {vendor.catalog.name: vendor.catalog for vendor in vendors.values() if vendor.catalog is not None}
    found: list[str] = []
    for section in sections:
        stated = stated_profiles(section)
        if section in catalogs:
            found += (problem for model in stated if (problem := _problem(catalogs[section], model)))
        elif section not in vendors or vendors[section].catalog is not None:
            places = ", ".join(dict.fromkeys(statement.where for statement in stated.values())) or section
            found.append(f"{places}: {_no_such_section(section, vendors, catalogs)}")
    return found


def _problem(catalog: ModelCatalog[Any], model: str) -> str | None:  # Any: of the vendor's own class of profiles
    try:
        catalog.facts(model)
    except InvalidArgumentError as error:
        return str(error)
    return None


def _no_such_section(section: str, vendors: Mapping[str, ModelVendor], catalogs: Collection[str]) -> str:
    vendor = vendors.get(section)
    if vendor is not None and vendor.catalog is not None:
        return f"the profiles of {vendor.title} are those of [{vendor.catalog.name}]. Put the models there."
    if section == "openai-compatible":  # what names of models begin with, in `_names.py`
        return "models of servers that are named by their address are stated in [openai]. Put them there."
    near = difflib.get_close_matches(section.lower(), catalogs, n=1)
    meant = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(catalogs)}."
    return f"there is no vendor {section!r}. {meant}"
