"""The model of a client in errors, and the check of whether it can call tools."""

from __future__ import annotations

from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models._client import ChatCompletionClient


def model_name(client: ChatCompletionClient) -> str:
    """The name of a client's model, or of its class where it has none."""
    identity = getattr(client, "effect_identity", dict[str, object])()  # a program's stand-in for a client may lack it
    name = identity.get("model")
    return name if isinstance(name, str) else type(client).__name__


def check_calls_tools(client: ChatCompletionClient, owner: str, need: str, *, purpose: str = "") -> None:
    """Check that a model can call tools.

    Args:
        client: The client of the model.
        owner: Whose client it is: ``agent 'writer'``.
        need: Why the owner needs such a model: ``has tools``.
        purpose: The part of the owner that needs it, for the first sentence, if that is not the tools.

    Raises:
        InvalidArgumentError: It cannot, by its `model_info`.
    """
    if client.model_info["function_calling"]:
        return
    needed = f", which is needed for {purpose}" if purpose else ""
    raise InvalidArgumentError(
        f"The model does not support function calling{needed}. {owner[:1].upper()}{owner[1:]} {need}, and "
        f"{model_name(client)!r} cannot call tools, by its model_info. Give it a model that can. "
        + model_info_advice("function_calling")
    )


def model_info_advice(ability: str) -> str:
    """The advice where a model can do what its `model_info` denies."""
    return f"If this one can, give its client model_info= with {ability!r}: True."
