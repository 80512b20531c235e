"""The models of the swarm, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symposia.core.exceptions import InvalidArgumentError, MissingExtraError, UsageError
from symposia.core.models import ChatCompletionClient
from symposia.ext.models.vendors import default_vendor, find_vendor


class UnknownVendorError(InvalidArgumentError):
    """No vendor is known to serve a model of this name."""


class MissingKeyError(InvalidArgumentError):
    """The vendor of the model requires a key, and the environment has none."""


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
    """The model of each agent."""

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


def model_named(name: str) -> NamedModel:
    """Make a client for ``gpt-…``, ``claude-…`` and the like, or for ``vendor/model``.

    Raises:
        UnknownVendorError: No vendor is known to serve it.
        MissingKeyError: The vendor's key is not in the environment.
        MissingExtraError: The vendor's SDK is not installed.
    """
    try:
        vendor, model = find_vendor(name)
    except InvalidArgumentError as error:
        raise UnknownVendorError(str(error)) from error
    if not vendor.has_key():
        problems = "; ".join(vendor.problems())
        raise MissingKeyError(f"The model {name} cannot be used: {problems}. {_export(vendor.key)}")
    return NamedModel(name=model, client=vendor.make_client(model))


def default_model_name() -> str:
    """Choose the default model of the first vendor that can be used.

    Raises:
        MissingKeyError: There is no key.
        MissingExtraError: There is a key, and its vendor's SDK is not installed.
    """
    try:
        vendor = default_vendor()
    except MissingExtraError:
        raise
    except UsageError as error:
        raise MissingKeyError(f"A task of your own needs a model. {error}\n{_export('OPENAI_API_KEY')}") from error
    return f"{vendor.name}/{vendor.default_model}"


def _export(key: str | None) -> str:
    return f"Set the key, as in `export {key}=…`, and run again."
