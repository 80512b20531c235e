"""A library of agents, of which some are chosen for a task."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from symposia.core.exceptions import InvalidArgumentError
from symposia.ext.memory.embedders import HashingEmbedder
from symposia.v02.agentchat.contrib._builder_plan import AgentPlan


def read_library(path_or_json: str) -> list[AgentPlan]:
    """The agents of a library, which is a JSON array or the path of a file with one.

    An agent without a description is described by its instructions.

    Raises:
        ValueError: It is none.
        OSError: The file cannot be read.
    """
    is_json = path_or_json.lstrip().startswith("[")
    library: object = json.loads(path_or_json if is_json else Path(path_or_json).read_text(encoding="utf-8"))
    entries = cast("list[object]", library) if isinstance(library, list) else []
    if not entries:
        raise InvalidArgumentError("A library is a JSON array of agents, and this is none.")
    return [_agent(entry) for entry in entries]


def most_alike(task: str, library: Sequence[AgentPlan], most: int) -> list[AgentPlan]:
    """The agents whose descriptions are most like a task by their letters, in the order of the library."""
    if len(library) <= most:
        return list(library)
    query, *vectors = HashingEmbedder().hash_texts([task, *(agent["description"] for agent in library)])
    likeness = [sum(a * b for a, b in zip(query, vector, strict=True)) for vector in vectors]
    chosen = sorted(range(len(library)), key=likeness.__getitem__, reverse=True)[:most]
    return [library[index] for index in sorted(chosen)]


def _agent(entry: object) -> AgentPlan:
    agent: Mapping[str, object] = cast("Mapping[str, object]", entry) if isinstance(entry, dict) else {}
    if not (isinstance(agent.get("name"), str) and isinstance(agent.get("system_message"), str)):
        raise InvalidArgumentError(
            f"An agent of a library has a name and a system_message, and this has not: {entry!r}."
        )
    return cast("AgentPlan", {"description": agent["system_message"], **agent})
