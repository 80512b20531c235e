"""How the next speaker of a group chat is selected: names and options, and the choice by a function or a person."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from symposia.v02.agentchat.agent import Agent
from symposia.v02.exception_utils import NoEligibleSpeaker
from symposia.v02.io import IOStream

METHODS: Final = ("auto", "manual", "random", "round_robin")
MANUAL_TRIES: Final = 2
"""How often a person may give another number than that of an agent."""
SMALLEST: Final = 2
"""The number of agents of the smallest group."""
NOT_EMPTY: Final = (
    "select_speaker_message_template",
    "select_speaker_auto_multiple_template",
    "select_speaker_auto_none_template",
    "role_for_select_speaker_messages",
)
CHECKED: Final = (
    *NOT_EMPTY,
    *("max_retries_for_selecting_speaker", "select_speaker_auto_verbose", "select_speaker_transform_messages"),
)
"""The options of a group chat that `check_options` checks."""

logger = logging.getLogger(__name__)


def check_options(options: Mapping[str, object]) -> None:
    """Check the options of the selection by a model.

    Args:
        options: Those of `CHECKED`, by name.

    Raises:
        ValueError: One of them is none.
    """
    for name in NOT_EMPTY:
        if not options[name]:
            raise ValueError(f"{name} cannot be empty or None.")
    retries = options["max_retries_for_selecting_speaker"]
    if not isinstance(retries, int):
        raise ValueError("max_retries_for_selecting_speaker cannot be None or non-int")  # noqa: TRY004 - as in AutoGen 0.2
    if retries < 0:
        raise ValueError("max_retries_for_selecting_speaker must be greater than or equal to zero")
    if not isinstance(options["select_speaker_auto_verbose"], bool):
        raise ValueError("select_speaker_auto_verbose cannot be None or non-bool")  # noqa: TRY004 - as above
    transforms = options["select_speaker_transform_messages"]
    if transforms is not None and not callable(getattr(transforms, "add_to_agent", None)):
        raise ValueError("select_speaker_transform_messages must be None or MessageTransforms.")


def checked_method(method: object) -> str:
    """The name of a method, in small letters.

    Raises:
        ValueError: There is no such method.
    """
    if not isinstance(method, str):
        raise ValueError(  # noqa: TRY004 - as in AutoGen 0.2
            f"Custom speaker selection function returned an object of type {type(method)} instead of Agent or str."
        )
    if method.lower() not in METHODS:
        raise ValueError(
            f"GroupChat speaker_selection_method is set to '{method}'. It should be one of {list(METHODS)} (case "
            "insensitive)."
        )
    return method.lower()


def chosen_by_function(result: object, agents: Sequence[Agent]) -> Agent | str:
    """What a function of the program chose: an agent, or a method.

    Args:
        result: What it returned.
        agents: The agents of the group chat.

    Raises:
        NoEligibleSpeaker: It is None, which ends the chat.
        ValueError: It is neither an agent of the group chat nor a method.
    """
    if result is None:
        raise NoEligibleSpeaker("The function that selects speakers returned None.")
    if not isinstance(result, Agent):
        return checked_method(result)
    if result not in agents:
        raise ValueError(f"Custom speaker selection function returned an agent {result.name} not in the group chat.")
    return result


def check_size(agents: Sequence[Agent], method: str, *, allows_repeats: bool) -> None:
    """Check that agents are a group, and warn of one in which one agent may speak alone.

    Args:
        agents: The agents of the group chat.
        method: The method of the selection.
        allows_repeats: Whether agents may speak twice in a row.

    Raises:
        ValueError: There are fewer than two.
    """
    number = len(agents)
    if number < SMALLEST:
        raise ValueError(
            f"GroupChat is underpopulated with {number} agents. Please add more agents to the GroupChat or use direct "
            "communication instead."
        )
    if number == SMALLEST and method != "round_robin" and allows_repeats:
        logger.warning(
            "GroupChat is underpopulated with 2 agents. Without round_robin or allow_repeat_speaker=False, one may "
            "speak twice in a row."
        )


def ask_for_speaker(agents: Sequence[Agent]) -> Agent | None:
    """The agent that a person chooses by its number; None if the person chooses none."""
    stream = IOStream.get_default()
    stream.print("Please select the next speaker from the following list:")
    for number, agent in enumerate(agents, 1):
        stream.print(f"{number}: {agent.name}")
    for _ in range(MANUAL_TRIES):
        answer = stream.input("Enter the number of the next speaker (enter nothing or `q` to use auto selection): ")
        if answer in ("", "q"):
            return None
        with suppress(ValueError):  # it is no number
            if 0 < (number := int(answer)) <= len(agents):
                return agents[number - 1]
        stream.print(f"Invalid input. Please enter a number between 1 and {len(agents)}.")
    stream.print(f"You have tried {MANUAL_TRIES} times. The next speaker will be selected automatically.")
    return None
