"""What is given in the place of something else is refused when it is given, with what to give instead."""

import inspect
from collections.abc import Callable
from math import nan
from typing import Any

import pytest
from pydantic import BaseModel

from symposia.agentchat.agents import AssistantAgent, CodeExecutorAgent
from symposia.agentchat.conditions import (
    MaxMessageTermination,
    StopMessageTermination,
    TextMentionTermination,
    TimeoutTermination,
    TokenUsageTermination,
)
from symposia.agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from symposia.agentchat.ui import Console
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.models import ModelInfo
from symposia.ext.models.replay import ReplayChatCompletionClient

ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, structured_output=True, family="unknown")


class Answer(BaseModel):
    text: str


def tell(what: str) -> str:
    """Tell something."""
    return what


def agent(**options: Any) -> AssistantAgent:  # Any: arguments of wrong types, which is what is tested
    return AssistantAgent("ann", ReplayChatCompletionClient(["Yes."], model_info=ABLE), **options)


def team(**options: Any) -> RoundRobinGroupChat:  # Any: likewise
    return RoundRobinGroupChat([agent()], **options)


anything: Any = "gpt-5.5"  # Any: stands where its type is wrong
number: Any = "3"

MISTAKES: dict[str, tuple[Callable[[], object], str]] = {
    "a model's name": (lambda: AssistantAgent("ann", anything), "The model of agent 'ann' has to be a client, such as"),
    "a client's class": (
        lambda: AssistantAgent("ann", ReplayChatCompletionClient),  # pyright: ignore[reportArgumentType] - tested
        "has to be a client, such as",
    ),
    "a selector's model's name": (
        lambda: SelectorGroupChat([agent(), AssistantAgent("bob", ReplayChatCompletionClient([]))], anything),
        "The model of the selector has to be a client",
    ),
    "a sandbox's name": (lambda: CodeExecutorAgent("ann", anything), "The executor of agent 'ann' has to be a"),
    "one tool": (lambda: agent(tools=tell), "The tools of agent 'ann' are given as a list"),
    "one handoff": (lambda: agent(handoffs="bob"), "The handoffs of agent 'ann' are given as a list"),
    "an answer's object": (lambda: agent(output_content_type=Answer(text="")), "has to be a class of pydantic's"),
    "an answer's plain type": (lambda: agent(output_content_type=int), "has to be a class of pydantic's"),
    "one participant": (
        lambda: RoundRobinGroupChat(agent()),  # pyright: ignore[reportArgumentType] - tested
        "The participants are given as a list",
    ),
    "a stop word": (lambda: team(termination_condition="DONE"), "A termination condition is needed, such as"),
    "a condition's class": (lambda: team(termination_condition=StopMessageTermination), "and this is none: <class"),
    "a stop word after |": (lambda: TextMentionTermination("DONE") | anything, "A termination condition is needed"),
    "a stop word after &": (lambda: TextMentionTermination("DONE") & anything, "A termination condition is needed"),
    "turns as text": (lambda: team(max_turns="3"), "max_turns is '3': give a number."),
    "seconds as text": (lambda: team(turn_timeout="3"), "turn_timeout is '3': give a number."),
    "messages as text": (lambda: MaxMessageTermination(number), "max_messages is '3': give a number."),
    "tokens as text": (lambda: TokenUsageTermination(number), "max_total_token is '3': give a number."),
    "a time as text": (lambda: TimeoutTermination(number), "timeout_seconds is '3': give a number."),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_kind_of_argument_is_refused_where_it_is_given(mistake: str) -> None:
    make, words = MISTAKES[mistake]
    with pytest.raises(ArgumentTypeError) as caught:
        make()
    assert words in str(caught.value)


def test_a_limit_that_no_count_reaches_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="timeout_seconds is NaN"):
        TimeoutTermination(nan)
    with pytest.raises(InvalidArgumentError, match="turn_timeout is NaN"):
        team(turn_timeout=nan)


async def test_a_console_that_is_given_a_run_says_that_it_takes_a_stream() -> None:
    run: Any = team(max_turns=1).run(task="Well?")  # Any: no stream
    with pytest.raises(ArgumentTypeError, match=r"Console takes a stream, as of team.run_stream\(task=…\)"):
        await Console(run)
    assert inspect.getcoroutinestate(run) == inspect.CORO_CLOSED  # closed, so that Python does not warn of it too


def test_a_stand_in_with_the_methods_of_a_client_is_taken() -> None:
    class StandIn:
        model_info = ABLE

    stand_in: Any = StandIn()  # Any: it has what the constructor needs of a client
    assert AssistantAgent("ann", stand_in, tools=(tell,)).name == "ann"
