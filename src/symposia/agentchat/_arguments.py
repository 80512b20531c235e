"""Checks of arguments that are easily confused: a wrong one is an error when it is given, not when it is first used.

See `symposia.core.argument_checks` for the rules, and for the checks that core has use for as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isnan
from numbers import Real
from typing import Final, TypeVar, cast

from pydantic import BaseModel

from symposia.core.argument_checks import check_list, check_text
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError

T = TypeVar("T")

_STATE_VERSION: Final = "1"
"""Of the shape of saved states: what stands before the first point."""


def check_code_executor(owner: str, given: object) -> None:
    """Raise an error for an object that is not a code executor.

    Raises:
        ArgumentTypeError: It is the name of a sandbox, a class, or anything else.
    """
    if isinstance(given, type) or not hasattr(given, "execute_code_blocks"):
        raise ArgumentTypeError(
            f"The executor of {owner} has to be a CodeExecutor, such as create_default_code_executor() of"
            f" symposia.ext.code_executors, not {given!r}"
        )


def checked_guardrails(owner: str, given: Sequence[T]) -> Sequence[T]:
    """A list of guardrails, also of a single one.

    Raises:
        ArgumentTypeError: Something else is given.
    """
    found = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
    for each in found:
        # Found by a method: the class would have to be imported here, by every agent, and most have no guardrails.
        if isinstance(each, type) or not hasattr(each, "check_tool_call"):
            raise ArgumentTypeError(
                f"The guardrails of {owner} have to be guardrails, such as AllowedTools(['search']) of"
                f" symposia.agentchat.guardrails, not {each!r}."
            )
    return cast("Sequence[T]", found)


def check_model_context(name: str, owner: str, given: object) -> None:
    """Raise an error for an object that is not a model context; None stands for the default one.

    Raises:
        ArgumentTypeError: It is a number of messages, a list of them, a class, or anything else.
    """
    if given is not None and (isinstance(given, type) or not hasattr(given, "get_messages")):
        raise ArgumentTypeError(
            f"{name} of {owner} has to be a ChatCompletionContext, such as BufferedChatCompletionContext(10) of"
            f" symposia.core.model_context, not {given!r}"
        )


def check_workbench(name: str, owner: str, given: object) -> None:
    """Raise an error for an object that is not a workbench.

    Raises:
        ArgumentTypeError: It is a tool, a class, or anything else.
    """
    if isinstance(given, type) or not hasattr(given, "list_tools"):
        raise ArgumentTypeError(
            f"{name} of {owner} has to be a Workbench, or a list of them, such as StaticWorkbench(tools) of"
            f" symposia.core.tools, not {given!r}"
        )


def check_condition(given: object) -> None:
    """Raise an error for an object that is not a termination condition.

    Raises:
        ArgumentTypeError: It is a text, a class, or anything else.
    """
    if isinstance(given, type) or not hasattr(given, "due_in"):
        raise ArgumentTypeError(
            f"A termination condition is needed, such as TextMentionTermination('DONE'), not {given!r}"
        )
    getattr(given, "terminated", None)  # an error here, if its constructor has not called that of the base class


def check_runtime(owner: str, given: object) -> None:
    """Raise an error for an object that is not a runtime; None stands for the default one.

    Raises:
        ArgumentTypeError: It is a name, a class, or anything else.
    """
    if given is not None and (isinstance(given, type) or not hasattr(given, "send_message")):
        raise ArgumentTypeError(
            f"The runtime of {owner} has to be an AgentRuntime, such as SingleThreadedAgentRuntime() of symposia.core, "
            f"not {given!r}"
        )


def check_model_class(name: str, given: object) -> None:
    """Raise an error for an object that is not a subclass of pydantic's `BaseModel`.

    Raises:
        ArgumentTypeError: It is an object of one, or another type.
    """
    if not (isinstance(given, type) and issubclass(given, BaseModel)):
        raise ArgumentTypeError(f"{name} has to be a class of pydantic's BaseModel, not {given!r}")


def check_token(given: object) -> None:
    """Raise an error for an object that is not a cancellation token; None stands for none.

    Raises:
        ArgumentTypeError: It is the class, or anything else.
    """
    if given is not None and (isinstance(given, type) or not hasattr(given, "link_future")):
        raise ArgumentTypeError(f"cancellation_token has to be an object, such as CancellationToken(), not {given!r}")


def check_number(name: str, given: object) -> None:
    """Raise an error for an object that cannot be a limit.

    Raises:
        ArgumentTypeError: It is no number.
        InvalidArgumentError: It is NaN, which no count ever reaches.
    """
    if not isinstance(given, Real):
        raise ArgumentTypeError(f"{name} is {given!r}: give a number.")
    if isnan(given):
        raise InvalidArgumentError(f"{name} is NaN: give a number.")


def check_texts(name: str, owner: str, given: object) -> None:
    """Raise an error for an object that is not a list of strings.

    Raises:
        ArgumentTypeError: It is one text, no list, or a list of something else.
    """
    check_list(f"{name} of {owner}", given)
    if isinstance(given, Iterator):  # which can be read only once
        raise ArgumentTypeError(f"{name} of {owner} are given as a list, not {given!r}")
    wrong = [each for each in cast("Iterable[object]", given) if not isinstance(each, str)]
    if wrong:
        raise ArgumentTypeError(f"{name} of {owner} have to be texts, not {wrong[0]!r}")


def check_optional_texts(name: str, owner: str, given: object) -> None:
    """Raise an error for an object that is neither a list of strings nor None.

    Raises:
        ArgumentTypeError: As `check_texts`.
    """
    if given is not None:
        check_texts(name, owner, given)


def check_optional_text(name: str, owner: str, given: object) -> None:
    """Raise an error for an object that is neither a string nor None.

    Raises:
        ArgumentTypeError: It is something else.
    """
    if given is not None:
        check_text(name, owner, given)


def check_state(owner: str, given: object) -> None:
    """Raise an error for a saved state that is no mapping, or of a shape that is not known yet.

    Raises:
        ArgumentTypeError: It is JSON text, or anything else.
        InvalidArgumentError: Its version is another one than 1, the only one that was ever written.
    """
    if isinstance(given, str | bytes | bytearray):
        raise ArgumentTypeError(
            f"The state of {owner} has to be a mapping, and this is JSON text: pass json.loads(text) to load_state."
        )
    if not isinstance(given, Mapping):
        raise ArgumentTypeError(f"The state of {owner} has to be a mapping, as save_state() gives it, not {given!r}")
    version = cast("Mapping[str, object]", given).get("version", _STATE_VERSION)
    if not isinstance(version, str) or version.split(".")[0] != _STATE_VERSION:
        raise InvalidArgumentError(
            f"The state of {owner} has the version {version!r}, and the versions {_STATE_VERSION}.x can be loaded: "
            "load it with the library that saved it."
        )
