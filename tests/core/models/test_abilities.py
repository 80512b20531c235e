"""Errors of what a model cannot do name the model, and say what to do."""

import pytest

from symposia.agentchat.agents import AssistantAgent
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.models import ModelInfo, check_calls_tools, model_name
from symposia.ext.models.fallback import FallbackClient
from symposia.ext.models.openai import OpenAIChatCompletionClient
from symposia.ext.models.replay import ReplayChatCompletionClient
from symposia.ext.models.retry import RetryingClient

PLAIN = ModelInfo(vision=False, function_calling=False, json_output=False, family="unknown", structured_output=False)


def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


def test_an_agent_with_tools_names_the_model_that_cannot_call_them() -> None:
    client = RetryingClient(OpenAIChatCompletionClient(model="mine", api_key="k", model_info=PLAIN))
    with pytest.raises(InvalidArgumentError) as error:
        AssistantAgent("ann", client, tools=[add])
    assert str(error.value) == (
        "The model does not support function calling. Agent 'ann' has tools, and 'mine' cannot call tools, by its "
        "model_info. Give it a model that can. If this one can, give its client model_info= with 'function_calling': "
        "True."
    )


def test_a_client_without_a_model_is_named_by_its_class() -> None:
    class StandIn:
        model_info = PLAIN

    replay = ReplayChatCompletionClient(["a"], model_info=PLAIN)
    assert model_name(replay) == "ReplayChatCompletionClient"
    assert model_name(FallbackClient([replay, replay])) == "FallbackClient"
    with pytest.raises(InvalidArgumentError, match="'StandIn' cannot call tools"):
        check_calls_tools(StandIn(), "agent 'ann'", "has tools")  # pyright: ignore[reportArgumentType] - no client
