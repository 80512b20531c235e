"""Agents that are to be made for a task, as JSON; and what the answers of a model say about them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NotRequired, cast

from typing_extensions import TypedDict

from symposia.core.exceptions import InvalidArgumentError, ModelResponseError
from symposia.v02._secrets import is_secret

_FOREIGN: Final = re.compile(r"[^a-zA-Z0-9_-]+")


class AgentPlan(TypedDict):
    """An agent that is to be made.

    Attributes:
        name: Its name.
        system_message: What it can do, for itself.
        description: What it can do, for others.
        model: The names of its models.
        tags: The tags of its models.
    """

    name: str
    system_message: str
    description: str
    model: NotRequired[Sequence[str] | str]
    tags: NotRequired[Sequence[str]]


class BuildPlan(TypedDict):
    """The agents of a task.

    Attributes:
        building_task: The task.
        agent_configs: The agents.
        coding: Whether one more executes code.
        default_llm_config: What the models of all agents share, without connections.
        code_execution_config: Where code is executed.
    """

    building_task: str
    agent_configs: list[AgentPlan]
    coding: bool
    default_llm_config: dict[str, Any]  # Any: see `OpenAIWrapper`
    code_execution_config: dict[str, Any]  # Any: options of many executors


def plan_text(plan: BuildPlan) -> str:
    """A plan as JSON, without credentials.

    Raises:
        TypeError: The configuration of models or of code has something else than JSON.
    """
    shared = {key: value for key, value in plan["default_llm_config"].items() if not is_secret(key)}
    shared.pop("config_list", None)  # it has keys, and is read anew where the plan is loaded
    return json.dumps({**plan, "default_llm_config": shared}, indent=4)


def read_plan(text: str) -> BuildPlan:
    """The plan of a JSON text.

    Raises:
        ValueError: It is none.
    """
    plan: object = json.loads(text)
    missing = (
        BuildPlan.__required_keys__ - (cast("Mapping[str, object]", plan) if isinstance(plan, dict) else {}).keys()
    )
    if missing:
        raise InvalidArgumentError(f"This is no saved plan of an AgentBuilder: it lacks {', '.join(sorted(missing))}.")
    return cast("BuildPlan", plan)


def file_name(task: str) -> str:
    """The name of the file of a task's plan, which is that of AutoGen 0.2."""
    return f"save_config_{hashlib.md5(task.encode(), usedforsecurity=False).hexdigest()}.json"


def names_of(answer: str, most: int) -> list[str]:
    """The names in an answer that lists them with commas, as names of agents."""
    names = (_FOREIGN.sub("_", part.strip()).strip("_") for part in answer.split(","))
    if not (found := list(dict.fromkeys(name for name in names if name))[:most]):
        raise ModelResponseError(f"The model names no agent: {answer!r}.")
    return found


def mentioned(answer: str, names: Sequence[str]) -> list[str]:
    """Those of the names that an answer has, in its order.

    Raises:
        ModelResponseError: It has none.
    """
    places = {name: found.start() for name in names if (found := re.search(rf"(?<!\w){re.escape(name)}(?!\w)", answer))}
    if not places:
        raise ModelResponseError(f"The model names none of {', '.join(names)}: {answer[:200]!r}.")
    return sorted(places, key=places.__getitem__)
