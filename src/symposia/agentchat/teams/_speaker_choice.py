"""The choice of a speaker by a model: the tool that offers the candidates, and the one that an answer names.

Also the names that a function gives as candidates, as far as its code says them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Final, Literal, cast

from pydantic import BaseModel, ValidationError

from symposia.core import FunctionCall
from symposia.core.tools import ParametersSchema, ToolSchema

TOOL: Final = "choose_speaker"


class _ChosenName(BaseModel, defer_build=True):
    """The arguments of the tool."""

    name: str


@dataclass(frozen=True, slots=True)
class ChosenSpeaker:
    """What a model chose.

    Attributes:
        name: The candidate, or None if it named none, or several.
        answer: Its answer, as text.
        objection: The reply to it.
    """

    name: str | None
    answer: str
    objection: str


class SpeakerChoice:
    """Offers the candidates to a model, and finds the one that it means in its answer.

    Args:
        names: The candidates.
        by_tool: Whether the model can call tools.

    Attributes:
        tools: The tool that the model is offered, if it can call tools.
        tool_choice: Whether it must call one.
    """

    def __init__(self, names: Sequence[str], *, by_tool: bool) -> None:
        self._names = names
        self.tools: list[ToolSchema] = [_tool(names)] if by_tool else []
        self.tool_choice: Literal["required", "auto"] = "required" if by_tool else "auto"

    def read(self, answer: str | Sequence[FunctionCall]) -> ChosenSpeaker:
        """Find the one candidate in a model's answer."""
        if isinstance(answer, str):
            found, text = self._in_text(answer), answer
        else:
            found = [name for call in answer for name in self._in_call(call)]
            text = ", ".join(f"{call.name}({call.arguments})" for call in answer)
        return ChosenSpeaker(found[0] if len(set(found)) == 1 else None, text, self._objection(found))

    def _in_call(self, call: FunctionCall) -> list[str]:
        try:
            name = _ChosenName.model_validate_json(call.arguments).name
        except ValidationError:
            return []
        return [name] if name in self._names else []

    def _in_text(self, text: str) -> list[str]:
        """The candidates that a text mentions; only one, if it is all that the text says.

        Of several, none is taken for the one that is meant: the first is wrong in "After alice, bob should speak", the
        last in "bob, and alice after that". The model is asked again.
        """
        bare = text.strip().strip("\"'`*.")
        return [bare] if bare in self._names else [name for name in self._names if _mentions(text, name)]

    def _objection(self, found: Sequence[str]) -> str:
        fault = f"You named {', '.join(sorted(set(found)))}." if found else "You named none of the candidates."
        return f"{fault} Name exactly one of {list(self._names)}, and nothing else."


def _mentions(text: str, name: str) -> bool:
    """Whether `name` is a word of `text`; an underscore may be written as a space, or escaped as in Markdown."""
    spelling = re.escape(name).replace("_", r"(?:\\?_|\s)")
    return re.search(rf"(?<!\w){spelling}(?!\w)", text) is not None


def _tool(names: Sequence[str]) -> ToolSchema:
    return ToolSchema(
        name=TOOL,
        description="Choose who speaks next.",
        parameters=ParametersSchema(
            type="object",
            properties={"name": {"type": "string", "enum": list(names), "description": "Who speaks next."}},
            required=["name"],
            additionalProperties=False,
        ),
        strict=True,
    )


def names_in(function: Callable[..., object], names: Sequence[str]) -> frozenset[str] | None:
    """Those of `names` that the code of a function mentions, as constants or in what it refers to.

    None where the code does not say: it mentions no name, or refers to objects whose content may be any. Calling the
    function was rejected: it is the program's own, and may count its calls.
    """
    texts: set[str] = set()
    if not isinstance(function, FunctionType) or not _collect(function, texts, seen=set()):
        return None
    found = texts.intersection(names)
    return frozenset(found) if found else None


def _collect(value: object, texts: set[str], *, seen: set[int]) -> bool:
    """Add the texts of a value, and say whether they are all that it can mention."""
    if id(value) in seen:
        return True
    seen.add(id(value))
    match value:
        case str():
            texts.add(value)
            return True
        case FunctionType():
            inner = value.__code__
            referred = [value.__globals__[name] for name in inner.co_names if name in value.__globals__]
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            return _collect_all([inner, *referred, *cells, *(value.__defaults__ or ())], texts, seen)
        case CodeType():
            return _collect_all(value.co_consts, texts, seen)
        case dict():
            items = cast("dict[object, object]", value)
            return _collect_all([*items, *items.values()], texts, seen)
        case list() | tuple() | set() | frozenset():
            return _collect_all(cast("Iterable[object]", value), texts, seen)
        case None | bool() | int() | float() | bytes() | type() | ModuleType() | BuiltinFunctionType():
            return True
        case _:
            name = getattr(value, "name", None)  # a participant
            return isinstance(name, str) and _collect(name, texts, seen=seen)


def _collect_all(values: Iterable[object], texts: set[str], seen: set[int]) -> bool:
    return all(_collect(each, texts, seen=seen) for each in values)
