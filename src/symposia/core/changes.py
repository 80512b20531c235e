"""Changes of states: the difference of two JSON values, as JSON, in the size of the difference.

A change is one of these objects; no change is None.

    {"set": value}                                       another value, or one that was not there
    {"extend": [element, …]}                             a list that only grew
    {"update": {key: change, …}, "remove": [key, …]}     an object; both are optional

A conversation that grows by one message costs that message, wherever in the state it is. Everything else about a list
is its new value: to find the shortest difference of two lists takes time that grows with both of them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol, TypeAlias, TypeGuard, cast, runtime_checkable

from pydantic_core import SchemaSerializer
from pydantic_core import core_schema as cs

from symposia.core.exceptions import InvalidArgumentError

__all__ = [
    "Change",
    "IncrementalState",
    "SavedState",
    "SavesState",
    "apply",
    "copy_state",
    "diff",
    "extension",
    "members",
    "save_changes",
]

Change: TypeAlias = Mapping[str, Any]
"""A change of a state: one of the three objects that the docstring of this module shows."""

SavedState: TypeAlias = Mapping[str, Any]
"""A saved state: an object of JSON values, which each class shapes for itself."""


_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_copy_json: Final = SchemaSerializer(cs.any_schema()).to_python


def copy_state(state: SavedState) -> SavedState:
    """A copy of a saved state, in a tenth of the time of `copy.deepcopy`; what is no mapping is returned as it is.

    For where a state passes between an object and the one that saves or loads it: either may keep what it is given, and
    change it later.
    """
    if type(state) is dict:  # nearly always, and in a third of the time of the rest
        state = cast("dict[str, Any]", state)
        # A state without lists, as of most rules, is copied ten times as fast: a rule's is, before each turn.
        return state.copy() if _SCALARS.issuperset(map(type, state.values())) else _copy_json(state)
    is_mapping = isinstance(state, Mapping)  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
    return _copy_json(dict(state) if is_mapping else state)


@runtime_checkable
class IncrementalState(Protocol):
    """An object whose state can be saved at the cost of its changes. Optional: see `save_changes` for the rest.

    Model contexts, agents and teams implement it where saving their whole state costs more and more.
    """

    # `object`: a mark is the implementation's own, and nothing outside looks into it.
    async def save_changes(self, since: object | None) -> tuple[Change | None, object]:
        """The changes since a mark.

        Args:
            since: A mark that a call returned; None for the whole state. It need not be that of the last call: there
                may be several readers, and the answer for one may not reach it.

        Returns:
            The change from the state at the mark to the present one, and the mark of the present one. For the whole
            state, the change is ``{"set": state}``. Applied to the state at the mark, it gives what `save_state` does.
        """
        ...


class SavesState(Protocol):
    """An object with a state."""

    async def save_state(self) -> SavedState:
        """The whole state, as JSON values."""
        ...


async def save_changes(saved: SavesState, since: object | None) -> tuple[Change | None, object]:
    """The changes of a state since a mark: from `IncrementalState` if implemented, else by comparing whole states.

    Arguments and results are those of `IncrementalState.save_changes`.
    """
    if isinstance(saved, IncrementalState) and _saves_both_alike(type(saved)):
        return await saved.save_changes(since)
    state = copy.deepcopy(await saved.save_state())  # it may be the object's own, which changes later
    return ({"set": state} if since is None else diff(since, state)), state


def _saves_both_alike(cls: type) -> bool:
    """Whether no class overrides `save_state` alone: then an inherited `save_changes` would tell another state."""
    for each in cls.__mro__:
        if "save_changes" in vars(each):
            return True
        if "save_state" in vars(each):
            return False
    return True


def diff(before: object, after: object) -> Change | None:
    """The change that makes one JSON value of another; None if they are equal.

    Neither is changed. The change holds parts of `after`, not copies of them.
    """
    if _is_object(before) and _is_object(after):
        return _diff_objects(before, after)
    if _is_list(before) and _is_list(after):
        grew = len(after) >= len(before) and all(map(_equal, before, after))
        return extension(after[len(before) :]) if grew else {"set": after}
    return None if _equal(before, after) else {"set": after}


def extension(elements: list[Any]) -> Change | None:
    """The change of a list that grew by these elements."""
    return {"extend": elements} if elements else None


def members(changes: Mapping[str, Change | None], removed: Iterable[str] = ()) -> Change | None:
    """The change of an object.

    Args:
        changes: The changes of its members, by their names. Those that are None are left out.
        removed: The names of the members that it has no more.
    """
    change: dict[str, Any] = {}
    if update := {key: changed for key, changed in changes.items() if changed is not None}:
        change["update"] = update
    if remove := list(removed):
        change["remove"] = remove
    return change or None


def apply(value: Any, change: Change | None) -> Any:  # Any: a JSON value
    """Make the change, and return the new value.

    Lists and objects of `value` are changed in place, so that many changes cost no more than what they change: copy it
    before if it is still needed. The result holds parts of `change`.

    Raises:
        InvalidArgumentError: The change is of another value.
    """
    if change is None:
        return value
    if "set" in change:
        return change["set"]
    if "extend" in change and isinstance(value, list):
        cast("list[Any]", value).extend(change["extend"])
        return cast("list[Any]", value)
    if isinstance(value, dict) and change.keys() <= {"update", "remove"}:
        state = cast("dict[str, Any]", value)
        for key, inner in change.get("update", {}).items():
            state[key] = apply(state.get(key), inner)
        for key in change.get("remove", ()):
            if key not in state:
                raise InvalidArgumentError(f"The change removes {key!r}, which is not there. It is of another value.")
            del state[key]
        return state
    kind = type(cast("object", value)).__name__
    raise InvalidArgumentError(f"The change {dict(change)} cannot be made in a {kind}.")


def _diff_objects(before: Mapping[str, object], after: Mapping[str, object]) -> Change | None:
    changed: dict[str, Change | None] = {}
    for key, value in after.items():
        changed[key] = diff(before[key], value) if key in before else {"set": value}
    return members(changed, [key for key in before if key not in after])


def _equal(one: object, other: object) -> bool:
    """Whether two JSON values are the same in JSON: in Python, 1, 1.0 and True are equal."""
    if isinstance(one, bool | float | int) and type(one) is not type(other):
        return False
    if _is_list(one) and _is_list(other):
        return len(one) == len(other) and all(map(_equal, one, other))
    if _is_object(one) and _is_object(other):
        return one.keys() == other.keys() and all(_equal(value, other[key]) for key, value in one.items())
    return one == other


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
