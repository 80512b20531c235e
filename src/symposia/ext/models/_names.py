"""One string chooses a model: its vendor and its name.

==================================  ==================================================================================
``anthropic/claude-sonnet-5-5``     a vendor of the registry, and the name of the model there
``gpt-5.5``                         a model whose vendor its name tells
``azure/DEPLOYMENT``                a deployment of Azure OpenAI
``openai-compatible:ADDRESS/NAME``  a model of any server that uses OpenAI's format
==================================  ==================================================================================
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from typing import Final

from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError, MissingExtraError
from symposia.core.models import ChatCompletionClient
from symposia.ext.models._registry import ModelVendor, model_vendors
from symposia.ext.models._service import is_address
from symposia.ext.models.openai import compatible_server

VARIABLE: Final = "SYMPOSIA_MODEL"
"""The environment variable that may name the model to use where none is named."""

SERVER_PREFIX: Final = "openai-compatible:"
_VERSIONED: Final = re.compile(r"(?P<address>.*?://[^/]+(?:/.*?)?/v\d+\w*(?:/openai)?)/(?P<model>.+)")
_VERSION: Final = re.compile(r"v\d+\w*")


class ModelNameError(InvalidArgumentError):
    """The name of a model does not lead to a client.

    Args:
        problem: What is wrong.
        advice: What a program can do about it.

    Attributes:
        problem: The text without the advice, which is for programs.
    """

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(f"{problem} {advice}".rstrip())
        self.problem = problem


class UnknownVendorError(ModelNameError):
    """No vendor or server is known to serve a model of this name."""


class MissingKeyError(ModelNameError):
    """The vendor of the model requires a key or another setting, and the environment has none.

    Attributes:
        variable: The environment variable that could hold it.
        variables: Those of all settings that are missing, `variable` first.
    """

    def __init__(self, problem: str, advice: str, *, variable: str, others: Sequence[str] = ()) -> None:
        super().__init__(problem, advice)
        self.variable = variable
        self.variables = (variable, *others)


def from_name(name: str | None = None, **options: object) -> ChatCompletionClient:
    """Make a client of the model of a name.

    ::

        client = from_name("anthropic/claude-sonnet-5-5", max_tokens=2_000)

    Args:
        name: ``vendor/model``, ``gpt-…``, ``claude-…`` and the like, ``azure/deployment``, or
            ``openai-compatible:ADDRESS/model`` for any server that uses OpenAI's format; by default what
            `default_model_name` says.
        options: Those of the vendor's client.

    Raises:
        UnknownVendorError: No vendor or server is known for it.
        MissingKeyError: The vendor needs a key or another setting, which is neither in the environment nor given.
        MissingExtraError: The vendor's SDK is not installed.
        InvalidArgumentError: The client has no such option.
    """
    name = default_model_name() if name is None else name
    vendor, model = find_vendor(name)
    missing = vendor.missing_settings(given=options)
    if missing:
        problems = "; ".join(vendor.problems(given=options))
        raise MissingKeyError(
            f"The model {name} cannot be used: {problems}.",
            " ".join(f"Set {setting.variables[0]}, or give {'= or '.join(setting.options)}=." for setting in missing),
            variable=missing[0].variables[0],
            others=[setting.variables[0] for setting in missing[1:]],
        )
    return vendor.make_client(model, **options)


def find_vendor(name: str) -> tuple[ModelVendor, str]:
    """The vendor of a model, and the model's name there.

    Args:
        name: As for `from_name`.

    Raises:
        ArgumentTypeError: The name is not a text.
        UnknownVendorError: No vendor or server is known for it.
    """
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] - a caller without a type checker
        raise ArgumentTypeError(f"The name of a model is {name!r}: give a text, such as 'openai/gpt-5.5'.")
    if name.startswith(SERVER_PREFIX):
        return _server(name)
    prefix, slash, model = name.partition("/")
    vendors = {vendor.name: vendor for vendor in model_vendors()}
    if slash and model and prefix in vendors:
        return vendors[prefix], model
    serving = next((vendor for vendor in vendors.values() if vendor.serves(name)), None)
    if serving is not None:
        return serving, name
    problem = f"No vendor is known for the model {name!r}."
    if slash and prefix in vendors:
        raise UnknownVendorError(f"{name!r} names no model. Give one after the slash, as in {prefix}/NAME.")
    raise UnknownVendorError(
        f"{problem}{_nearest(prefix, model, vendors)} Put one of the vendors before it: {', '.join(vendors)}. "
        f"A server that uses OpenAI's format is {SERVER_PREFIX}ADDRESS/NAME, as in "
        f"{SERVER_PREFIX}http://localhost:8000/v1/NAME."
    )


def _nearest(prefix: str, model: str, vendors: Mapping[str, ModelVendor]) -> str:
    """The vendor or the model that is perhaps meant, as a question."""
    if "://" in f"{prefix}/{model}":
        return f" Did you mean '{SERVER_PREFIX}{prefix}/{model}'?"
    if model:
        near = difflib.get_close_matches(prefix.lower(), vendors, n=1)
        return f" Did you mean '{near[0]}/{model}'?" if near else ""
    before, colon, after = prefix.partition(":")
    if colon and after and before.lower() in vendors:  # as other libraries write it
        return f" Did you mean '{before.lower()}/{after}'?"
    models = {each: vendor for vendor in vendors.values() if vendor.catalog for each in vendor.catalog.names}
    near = difflib.get_close_matches(prefix.strip().lower(), models, n=1, cutoff=0.75)
    if not near:
        return ""
    is_told = any(vendor.serves(near[0]) for vendor in vendors.values())
    return f" Did you mean '{near[0] if is_told else f'{models[near[0]].name}/{near[0]}'}'?"


def _server(name: str) -> tuple[ModelVendor, str]:
    given = name.removeprefix(SERVER_PREFIX)
    address, model = split_server_name(given)
    if model and is_address(address):
        return compatible_server(address, model), model
    missing = "model" if is_address(address) else "server"
    raise UnknownVendorError(
        f"The model {name!r} names no {missing}: give {SERVER_PREFIX}ADDRESS/NAME, with an address that begins with "
        f"https:// or http://, as in {SERVER_PREFIX}http://localhost:8000/v1/NAME."
    )


def split_server_name(given: str) -> tuple[str, str]:
    """The address of a server and the name of its model; an empty name where there is none.

    Names of models have slashes too (``org/model``), so that the last slash need not be the one in between. An empty
    segment always divides (``http://localhost:8000//org/model``). Otherwise a segment with a version ends the address
    (``/v1``, and Google's ``/v1beta/openai``), and in an address without one, the last slash.
    """
    scheme, separator, rest = given.partition("://")
    if not separator:
        return "", ""
    before, divided, model = rest.partition("//")
    if divided:
        return f"{scheme}://{before}", model
    versioned = _VERSIONED.fullmatch(given)
    if versioned is not None:
        return versioned["address"], versioned["model"]
    host, _, model = rest.rpartition("/")
    return (f"{scheme}://{host}", model) if host and not _VERSION.fullmatch(model) else (given, "")


def default_model_name(environment: Mapping[str, str] = os.environ) -> str:
    """The model in ``SYMPOSIA_MODEL``, or else the default model of the first vendor that can be used.

    Raises:
        UnknownVendorError: No vendor or server is known for the one in ``SYMPOSIA_MODEL``.
        MissingKeyError: There is none.
        MissingExtraError: There is a key, and its vendor's SDK is not installed.
    """
    named = environment.get(VARIABLE, "").strip()
    if named:
        try:
            find_vendor(named)
        except UnknownVendorError as error:
            raise UnknownVendorError(f"{VARIABLE}: {error}") from error
        return named
    vendor = default_vendor(environment)
    return f"{vendor.name}/{vendor.default_model}"


def default_vendor(environment: Mapping[str, str] = os.environ) -> ModelVendor:
    """The first vendor with a default model whose SDK is installed and whose API key is set.

    Raises:
        MissingExtraError: There is none, but an SDK is all that one of them lacks.
        MissingKeyError: There is none; the text says what each lacks.
    """
    vendors = [vendor for vendor in model_vendors() if vendor.key is not None and vendor.default_model is not None]
    ready = next((vendor for vendor in vendors if not vendor.problems(environment)), None)
    if ready is not None:
        return ready
    without_sdk = next((vendor for vendor in vendors if not vendor.missing_settings(environment)), None)
    if without_sdk is not None:
        raise MissingExtraError(
            f"A model of {without_sdk.title}, whose key is in {without_sdk.key},", without_sdk.extra
        )
    reasons = "".join(f"\n- {vendor.name}: {'; '.join(vendor.problems(environment))}" for vendor in vendors)
    raise MissingKeyError(
        f"No vendor of models can be used. Set the API key of one of them, or name a model in {VARIABLE}:{reasons}",
        "",
        variable=str(vendors[0].key) if vendors else VARIABLE,
    )
