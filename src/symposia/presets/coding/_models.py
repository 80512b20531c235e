"""From the name of a model to a client for it. Vendors are data; what a model can do is the client's to know."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symposia.core.models import ChatCompletionClient
from symposia.presets.coding._errors import MissingKeyError, UnknownVendorError


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedModel:
    """A model of the swarm.

    Attributes:
        name: As ``usage.json`` and the transcript call it.
        recorded: Whether its words are recorded instead of made.
    """

    name: str
    client: ChatCompletionClient
    recorded: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SwarmModels:
    """Who thinks for which agent."""

    planner: NamedModel
    coder: NamedModel
    reviewer: NamedModel

    @property
    def recorded(self) -> bool:
        """Whether any of them is recorded."""
        return self.planner.recorded or self.coder.recorded or self.reviewer.recorded

    def by_agent(self) -> Mapping[str, NamedModel]:
        """The models by the names of their agents."""
        return {"planner": self.planner, "coder": self.coder, "reviewer": self.reviewer}

    async def close(self) -> None:
        """Close the clients."""
        for model in self.by_agent().values():
            await model.client.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class Vendor:
    """Whom to ask for a model.

    Attributes:
        name: As in ``name/model`` on the command line.
        models: What the names of its models begin with, as a pattern.
        key: The environment variable with its key.
        address: The environment variable with another address to send requests to.
        default: The model to take when nobody says which.
    """

    name: str
    models: re.Pattern[str]
    key: str
    address: str
    default: str
    make: Callable[[str], ChatCompletionClient]


def _openai(model: str) -> ChatCompletionClient:
    from symposia.ext.models.openai import OpenAIChatCompletionClient  # noqa: PLC0415 - loads the vendor's SDK

    return OpenAIChatCompletionClient(model=model)


def _anthropic(model: str) -> ChatCompletionClient:
    from symposia.ext.models.anthropic import AnthropicChatCompletionClient  # noqa: PLC0415 - loads the vendor's SDK

    return AnthropicChatCompletionClient(model=model)


VENDORS = (
    Vendor(
        name="anthropic",
        models=re.compile(r"claude-"),
        key="ANTHROPIC_API_KEY",
        address="ANTHROPIC_BASE_URL",
        default="claude-sonnet-5-5",
        make=_anthropic,
    ),
    Vendor(
        name="openai",
        models=re.compile(r"gpt-|chatgpt-|codex-|o\d"),
        key="OPENAI_API_KEY",
        address="OPENAI_BASE_URL",
        default="gpt-5.5",
        make=_openai,
    ),
)


def model_named(name: str) -> NamedModel:
    """Make a client for ``gpt-…``, ``claude-…`` and the like, or for ``vendor/model``.

    Raises:
        UnknownVendorError: Nobody is known to serve it.
        MissingKeyError: The vendor's key is not in the environment.
        MissingExtraError: The vendor's SDK is not installed.
    """
    vendor, model = vendor_of(name)
    if not os.environ.get(vendor.key):
        raise MissingKeyError(
            f"The model {name} needs a key: export {vendor.key}=… and run again. "
            "Without any key, the bundled tasks run on recorded models: symposia run --task sales"
        )
    return NamedModel(name=model, client=vendor.make(model))


def vendor_of(name: str) -> tuple[Vendor, str]:
    """Say who serves a model, and what the vendor calls it.

    Raises:
        UnknownVendorError: Nobody is known to.
    """
    prefix, slash, rest = name.partition("/")
    for vendor in VENDORS:
        if slash and rest and prefix == vendor.name:
            return vendor, rest
        if vendor.models.match(name):
            return vendor, name
    raise UnknownVendorError(
        f"No vendor is known for the model {name!r}. Known are {' and '.join(_examples())}. A model of another name at "
        "one of them, or at a server that speaks its protocol (OPENAI_BASE_URL): openai/NAME or anthropic/NAME"
    )


def default_model_name() -> str:
    """Choose a model by the keys in the environment, Anthropic's first.

    Raises:
        MissingKeyError: There is no key.
    """
    for vendor in VENDORS:
        if os.environ.get(vendor.key):
            return vendor.default
    keys = " or ".join(vendor.key for vendor in VENDORS)
    raise MissingKeyError(
        f"A task of your own needs a model, and no key is set: export {keys} and run again. "
        "Without any key, the bundled tasks run on recorded models: symposia run --task sales"
    )


def _examples() -> list[str]:
    return [f"{vendor.name} ({vendor.default} and the like)" for vendor in VENDORS]
