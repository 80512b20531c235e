"""The states of an assistant's tools: of tools that are made of agents or teams, and of others that have a state.

They are part of the assistant's state, because they are part of its memory: the next call of an `AgentTool` continues
the conversation of its agent. Without them, such a call in a resumed team would repeat earlier work.

The state of a workbench that is not static belongs to the program that made it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from symposia.core.changes import Change, IncrementalState, SavedState, members, save_changes
from symposia.core.exceptions import InvalidArgumentError
from symposia.core.tools import BaseTool, Workbench

AnyTool: TypeAlias = BaseTool[Any, Any]

_NO_STATE: Final[object] = vars(BaseTool)["save_state_json"]
"""The method of tools without a state."""


class ToolStates:
    """Saves and loads the tools that have a state.

    Args:
        agent: The name of the agent, for errors.
        workbenches: Where the tools are.
    """

    def __init__(self, agent: str, workbenches: Sequence[Workbench]) -> None:
        self._agent = agent
        self._tools: dict[str, AnyTool] = {}
        for tool in static_tools(workbenches):
            if _has_state(tool):
                name = tool.name
                while name in self._tools:  # a tool of the same name in another workbench, which may rename it
                    name += "_"
                self._tools[name] = tool

    def __bool__(self) -> bool:
        return bool(self._tools)

    async def save(self) -> SavedState:
        """The state of each tool, by its name."""
        return {name: await tool.save_state_json() for name, tool in self._tools.items()}

    async def save_changes(self, since: Mapping[str, object]) -> tuple[Change | None, Mapping[str, object]]:
        """The changes of the states since the given marks, and the marks of the present states.

        Args:
            since: The mark of each tool, by its name; none for the whole states.
        """
        changes: dict[str, Change | None] = {}
        marks: dict[str, object] = {}
        for name, tool in self._tools.items():
            if isinstance(tool, IncrementalState):
                changes[name], marks[name] = await tool.save_changes(since.get(name))
            else:
                changes[name], marks[name] = await save_changes(_State(tool), since.get(name))
        return members(changes), marks

    async def load(self, states: object) -> None:
        """Give the tools their states back. One that is not in `states` keeps its own.

        Raises:
            InvalidArgumentError: `states` is no mapping of states.
            Exception: The error of a tool.
        """
        if not isinstance(states, Mapping):
            raise InvalidArgumentError(
                f"The tools in the state of agent '{self._agent}' have to be a mapping of states, as its save_state() "
                f"returned them, not {states!r}."
            )
        for name, state in cast("Mapping[str, SavedState]", states).items():
            if name in self._tools:
                await self._tools[name].load_state_json(state)


class _State:
    """Adapts a tool to `save_changes`, which calls `save_state`."""

    def __init__(self, tool: AnyTool) -> None:
        self._tool = tool

    async def save_state(self) -> SavedState:
        """The state of the tool."""
        return await self._tool.save_state_json()


def static_tools(workbenches: Sequence[Workbench]) -> Sequence[AnyTool]:
    """The tools of the workbenches whose tools do not change."""
    if not workbenches:
        return ()
    from symposia.core.tools import StaticWorkbench  # noqa: PLC0415 - many agents have no tools

    return [tool for each in workbenches if isinstance(each, StaticWorkbench) for tool in each.tools]


def _has_state(tool: AnyTool) -> bool:
    return getattr(type(tool), "save_state_json", _NO_STATE) is not _NO_STATE
