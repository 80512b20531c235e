"""The progress ledger of a Magentic-One team: its schema, and a tolerant parser of a model's answer.

Models put the object into a fence or into prose, leave out an entry, give an answer without its reason, write "yes" for
true, or change the case of a name. All of that is accepted. An entry that cannot be read is a fault, which is reported
to the model; after the last attempt the other entries are used. So a malformed ledger never ends a run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Generic, Literal, NamedTuple, TypeVar, cast

from pydantic import BaseModel, ConfigDict, create_model
from pydantic_core import from_json

from symposia.core import FunctionCall

AnswerT = TypeVar("AnswerT")

_SATISFIED: Final = "is_request_satisfied"
_IN_LOOP: Final = "is_in_loop"
_PROGRESSING: Final = "is_progress_being_made"
_SPEAKER: Final = "next_speaker"
_INSTRUCTION: Final = "instruction_or_question"

_ENTRIES: Final = frozenset({_SATISFIED, _IN_LOOP, _PROGRESSING, _SPEAKER, _INSTRUCTION})

_PASSES: Final = 20
"""How often a text may be read in search of an object: a ledger is seldom deeper inside of an unclosed object."""

_FREE_CHARACTERS: Final = 2_000_000
"""Characters that may be read in addition, of a text of any length. Reading them takes some hundredths of a second."""

_DECODER: Final = json.JSONDecoder(strict=False)  # models write line breaks inside texts as they are
_WORDS: Final = {"true": True, "yes": True, "false": False, "no": False}


class LedgerEntry(BaseModel, Generic[AnswerT]):
    """An entry: the reason comes first, so that a model gives it before it answers.

    Attributes:
        reason: Why.
        answer: The answer.
    """

    model_config = ConfigDict(extra="forbid")

    reason: str
    answer: AnswerT


class ProgressLedger(NamedTuple):
    """The progress of the work, as the model judges it.

    Attributes:
        is_satisfied: Whether the final answer can be written.
        reason: The reason for it.
        is_in_loop: Whether the team repeats itself.
        is_progressing: Whether the last answers made progress.
        next_speaker: The participant that acts next; None if none was named.
        instruction: Its instruction; empty if there is none.
        faults: The entries that could not be read, each as a sentence for the model.
    """

    is_satisfied: bool
    reason: str
    is_in_loop: bool
    is_progressing: bool
    next_speaker: str | None
    instruction: str
    faults: Sequence[str]

    @property
    def is_stalled(self) -> bool:
        """Whether the team repeats itself or makes no progress."""
        return self.is_in_loop or not self.is_progressing


@lru_cache(maxsize=64)  # it takes as long as ten turns, and teams are often made anew for each task
def ledger_schema(names: tuple[str, ...]) -> type[BaseModel]:
    """The class of the ledger, for models with structured output.

    Args:
        names: The participants, one of which is to be named.
    """
    name: Any = Literal[names]  # Any: a type that is made at run time
    fields: dict[str, Any] = {
        _SATISFIED: (LedgerEntry[bool], ...),
        _IN_LOOP: (LedgerEntry[bool], ...),
        _PROGRESSING: (LedgerEntry[bool], ...),
        _SPEAKER: (LedgerEntry[name], ...),
        _INSTRUCTION: (LedgerEntry[str], ...),
    }
    return create_model("ProgressLedger", __config__=ConfigDict(extra="forbid"), **fields)


def read_ledger(answer: str | Sequence[FunctionCall], names: Sequence[str]) -> ProgressLedger:
    """Read a model's answer.

    Args:
        answer: As text, or as the arguments of a call.
        names: The participants.
    """
    text = answer if isinstance(answer, str) else " ".join(call.arguments for call in answer)
    found = _best_object(text)
    satisfied = _truth(found, _SATISFIED)
    in_loop, progressing = _truth(found, _IN_LOOP), _truth(found, _PROGRESSING)
    speaker, instruction = _speaker(found, names), _text(_answer(found, _INSTRUCTION))
    faults: list[str] = []
    if not found:
        faults.append("That is no JSON object with the five entries.")
    elif satisfied is None:
        faults.append(_not_boolean(_SATISFIED))
    elif not satisfied:  # otherwise the rest has no effect
        faults += [
            _not_boolean(key) for key, given in ((_IN_LOOP, in_loop), (_PROGRESSING, progressing)) if given is None
        ]
        if speaker is None:
            given = _text(_answer(found, _SPEAKER))
            faults.append(f"{_SPEAKER} is {given!r}, and has to be one of {list(names)}.")
        if not instruction:
            faults.append(f"{_INSTRUCTION} has no answer.")
    return ProgressLedger(
        is_satisfied=bool(satisfied),
        reason=_reason(found, _SATISFIED),
        is_in_loop=bool(in_loop),
        is_progressing=bool(progressing),
        next_speaker=speaker,
        instruction=instruction,
        faults=faults,
    )


def _not_boolean(key: str) -> str:
    return f"{key} has no answer that is true or false."


def _best_object(text: str) -> Mapping[str, Any]:
    """The object in the text with the most entries; of several the last, which models write as a correction."""
    best: Mapping[str, Any] = {}
    entries = 1
    for found in _objects(text):
        if (count := len(_ENTRIES & found.keys())) >= entries:
            best, entries = found, count
    return best


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    """The JSON objects in a text, in order.

    The search starts again at each brace of an object that does not end. With thousands of nested braces that is
    quadratic, and it blocks the event loop. So the search ends when it has read the text about `_PASSES` times.
    Rejected: to match the braces first, since the text around an object may have unbalanced quotes.
    """
    try:
        whole = from_json(text)  # the common case, in a third of the time of the decoder
    except ValueError:
        pass
    else:
        if isinstance(whole, dict):
            yield cast("Mapping[str, Any]", whole)
            return
    budget = _PASSES * len(text) + _FREE_CHARACTERS
    start = text.find("{")
    while start >= 0 and budget > 0:
        try:
            found, start = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            end = error.pos if isinstance(error, json.JSONDecodeError) else len(text)  # other errors have no position
            budget -= end - start + end // 16  # making the error counts the lines before it
            start += 1
        else:
            yield found
        start = text.find("{", start)


def _answer(found: Mapping[str, Any], key: str) -> object:
    entry = found.get(key)
    return cast("Mapping[str, object]", entry).get("answer") if isinstance(entry, Mapping) else entry


def _reason(found: Mapping[str, Any], key: str) -> str:
    entry = found.get(key)
    return _text(cast("Mapping[str, object]", entry).get("reason")) if isinstance(entry, Mapping) else ""


def _truth(found: Mapping[str, Any], key: str) -> bool | None:
    given = _answer(found, key)
    return given if isinstance(given, bool) else _WORDS.get(_text(given).lower())


def _text(given: object) -> str:
    """A text; halves of surrogate pairs, which JSON can hold and no message, are replaced."""
    return given.strip().encode(errors="replace").decode() if isinstance(given, str) else ""


def _speaker(found: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The named participant, ignoring case, quotes and spaces; None if it is none, or not unique."""
    given = _text(_answer(found, _SPEAKER))
    if given in names:
        return given
    alike = [name for name in names if _bare(name) == _bare(given)]
    return alike[0] if len(alike) == 1 else None


def _bare(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
