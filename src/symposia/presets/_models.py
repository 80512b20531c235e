"""Models by name, and the tokens of each agent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from symposia.agentchat.messages import Messages
from symposia.core.exceptions import InvalidArgumentError, MissingExtraError, UsageError
from symposia.core.models import ChatCompletionClient, RequestUsage
from symposia.ext.models.vendors import default_vendor, find_vendor


class UnknownVendorError(InvalidArgumentError):
    """No vendor is known to serve a model of this name."""


class MissingKeyError(InvalidArgumentError):
    """The vendor of the model requires a key, and the environment has none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedModel:
    """A model of an agent.

    Attributes:
        name: Its name in ``usage.json`` and the transcript.
        recorded: Whether its answers are recorded.
    """

    name: str
    client: ChatCompletionClient
    recorded: bool = False


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


async def close_models(models: Iterable[NamedModel]) -> None:
    """Close the clients of the models, each once, also those after one that fails.

    Raises:
        Exception: The error of a client.
    """
    async with AsyncExitStack() as clients:
        for client in {id(model.client): model.client for model in models}.values():
            clients.push_async_callback(client.close)


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
        raise MissingKeyError(
            f"A task or a question of your own needs a model. {error}\n{_export('OPENAI_API_KEY')}"
        ) from error
    return f"{vendor.name}/{vendor.default_model}"


def _export(key: str | None) -> str:
    return f"Set the key, as in `export {key}=…`, and run again."


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentUsage:
    """The tokens of one agent.

    Attributes:
        model: The name of its model.
        estimated: Whether any of the counts is an estimate, as those of a recorded model are, and those for a
            server that sends none.
    """

    agent: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    estimated: bool


def usage_by_agent(messages: Messages, models: Mapping[str, NamedModel]) -> tuple[AgentUsage, ...]:
    """Add up the tokens of each agent's messages.

    Args:
        messages: The conversation.
        models: By agent.
    """
    spent = {agent: RequestUsage(0, 0) for agent in models}
    for message in messages:
        if message.models_usage is not None and message.source in spent:
            spent[message.source] += message.models_usage
    return tuple(
        AgentUsage(
            agent=agent,
            model=model.name,
            prompt_tokens=spent[agent].prompt_tokens,
            completion_tokens=spent[agent].completion_tokens,
            estimated=model.recorded or spent[agent].estimated,
        )
        for agent, model in models.items()
    )


def usage_document(usage: Sequence[AgentUsage]) -> dict[str, object]:
    """The tokens by agent, by model and in all, for ``usage.json``."""
    models = dict.fromkeys(each.model for each in usage)
    return {
        "estimated": any(each.estimated for each in usage),
        "agents": {each.agent: {"model": each.model, **_tokens([each])} for each in usage},
        "models": {model: _tokens(each for each in usage if each.model == model) for model in models},
        "total": _tokens(usage),
    }


def _tokens(usage: Iterable[AgentUsage]) -> dict[str, int]:
    spent = list(usage)
    return {
        "prompt_tokens": sum(each.prompt_tokens for each in spent),
        "completion_tokens": sum(each.completion_tokens for each in spent),
    }
