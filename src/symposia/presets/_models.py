"""Models by name, and the tokens and the money of each agent."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from symposia.agentchat.messages import Messages
from symposia.core.models import ChatCompletionClient, RequestUsage, UsageAccount
from symposia.ext.models import default_model_name, from_name
from symposia.ext.models.vendors import ModelVendor, find_vendor

SERVER: Final = "openai-compatible"
"""The vendor of a model whose name has the address of its server."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedModel:
    """A model of an agent.

    Attributes:
        name: Its name in ``usage.json`` and the transcript.
        recorded: Whether its answers are recorded.
        address: The address of its server, where the environment or the name of the model gives one; else empty.
    """

    name: str
    client: ChatCompletionClient
    recorded: bool = False
    address: str = ""

    @property
    def label(self) -> str:
        """The name, and where the model is served if that is not at its vendor: ``my-model at http://localhost:8000/v1``."""
        return f"{self.name} at {self.address}" if self.address else self.name


def model_named(name: str | None = None) -> NamedModel:
    """Make a client by `symposia.ext.models.from_name`, under the name of the model at its vendor.

    Raises:
        UnknownVendorError: No vendor or server is known for it.
        MissingKeyError: The vendor's key is not in the environment.
        MissingExtraError: The vendor's SDK is not installed.
    """
    name = default_model_name() if name is None else name
    vendor, model = find_vendor(name)
    client = from_name(name)
    return NamedModel(name=model, client=client, address=_given_address(vendor, client))


def _given_address(vendor: ModelVendor, client: ChatCompletionClient) -> str:
    is_given = vendor.name == SERVER or (vendor.address_variable and os.environ.get(vendor.address_variable))
    return str(client.effect_identity().get("address", "")).rstrip("/") if is_given else ""


async def close_models(models: Iterable[NamedModel]) -> None:
    """Close the clients of the models, each once, also those after one that fails.

    Raises:
        Exception: The error of a client.
    """
    async with AsyncExitStack() as clients:
        for client in {id(model.client): model.client for model in models}.values():
            clients.push_async_callback(client.close)


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentUsage:
    """The tokens and the money of one agent.

    Attributes:
        agent: Its name; None for what is in no agent's message, such as answers of models that were cancelled.
        model: The name of its model.
        usage: What its messages took. It is estimated too where the model is recorded.
    """

    agent: str | None
    model: str
    usage: RequestUsage


def usage_by_agent(
    messages: Messages, models: Mapping[str, NamedModel], account: UsageAccount
) -> tuple[AgentUsage, ...]:
    """Add up the tokens of each agent's messages, and those that are in none, by model.

    Args:
        messages: The conversation.
        models: By agent.
        account: All tokens of the run.
    """
    spent = {agent: RequestUsage(0, 0, estimated=model.recorded) for agent, model in models.items()}
    for message in messages:
        if message.models_usage is not None and message.source in spent:
            spent[message.source] += message.models_usage
    by_agent = [AgentUsage(agent=agent, model=model.name, usage=spent[agent]) for agent, model in models.items()]
    silent = account.beyond(message.models_usage for message in messages)
    names = {model.name for model in models.values()}
    by_agent += [
        AgentUsage(agent=None, model=part.model or " or ".join(sorted(names)), usage=part)
        for part in (silent.by_model if silent else ())
    ]
    return tuple(by_agent)


def total_usage(usage: Iterable[AgentUsage]) -> RequestUsage:
    """The tokens and the money of all agents together."""
    return sum((each.usage for each in usage), RequestUsage(0, 0))


def usage_document(usage: Sequence[AgentUsage]) -> dict[str, object]:
    """The tokens and the money by agent, by model and in all, for ``usage.json``."""
    by_model: dict[str, RequestUsage] = {}
    for each in usage:
        # A wrapper may have asked other models than the one by whose name it is known.
        for part in each.usage.by_model or (each.usage,):
            name = part.model or each.model
            by_model[name] = by_model.get(name, RequestUsage(0, 0)) + part
    total = total_usage(usage)
    return {
        "estimated": total.estimated,
        "agents": {each.agent: {"model": each.model, **_figures(each.usage)} for each in usage if each.agent},
        "silent": _figures(total_usage(each for each in usage if not each.agent)),
        "models": {model: {**_figures(spent), **_reported(spent)} for model, spent in by_model.items()},
        "total": _figures(total),
    }


def _reported(usage: RequestUsage) -> dict[str, object]:
    """The names that the server has for a model, if it has others than the one that was asked for."""
    names = sorted({name for part in usage.by_model for name in part.reported_models})
    return {"reported_as": names} if names else {}


def _figures(usage: RequestUsage) -> dict[str, int | float | None]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "completion_tokens": usage.completion_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "usd": None if usage.usd is None else round(usage.usd, 10),  # without the noise of sums of floats
        "unpriced_tokens": usage.unpriced_tokens,
    }
