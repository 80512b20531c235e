"""Checks of arguments: a wrong one is an error when it is given, not when it is first used.

What has the methods of a client or a tool is taken for one, since programs have stand-ins of their own in tests.
An argument and its owner are given apart, and joined only in an error: services make agents for each request, and
the texts would take a tenth of the making.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar, cast

from pydantic import BaseModel, ValidationError

from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError
from symposia.core.json_values import validation_faults

__all__ = [
    "check_backend",
    "check_count",
    "check_each",
    "check_flag",
    "check_function",
    "check_instance",
    "check_key_values",
    "check_list",
    "check_messages",
    "check_model_client",
    "check_model_name",
    "check_path",
    "check_text",
    "checked_model",
    "not_a_message",
]

ModelT = TypeVar("ModelT", bound=BaseModel)


def check_model_client(owner: str, given: object, needed: str = "model_info") -> None:
    """Raise an error for an object that is not a model client.

    Args:
        owner: Whose client it is, for the error: ``agent 'writer'``.
        given: What was given as the client.
        needed: The attribute by which a client is known, for owners that use a part of one.

    Raises:
        ArgumentTypeError: It is the name of a model, a class, or anything else.
    """
    if isinstance(given, type) or not hasattr(given, needed):
        # A dictionary may hold keys, which no error shows.
        is_config = isinstance(given, Mapping)
        config = "a dictionary. to_model_client, of symposia.v02.oai.conversion, makes a client of an llm_config."
        raise ArgumentTypeError(
            f"The model of {owner} has to be a client, such as OpenAIChatCompletionClient(model='gpt-5.5'), not"
            f" {config if is_config else repr(given)}"
        )


def check_model_name(name: str, owner: str, given: object) -> None:
    """Raise an error for what names no model.

    Raises:
        ArgumentTypeError: It is no text.
        InvalidArgumentError: It is empty.
    """
    check_text(name, owner, given)
    if not str(given).strip():
        raise InvalidArgumentError(f"{name} of {owner} is {given!r}: give the name of a model, such as 'gpt-5.5'.")


def check_messages(given: object) -> None:
    """Raise an error for what is not a list of messages to a model.

    Only its ends are looked at. To look at each message would make a call cost more the longer the conversation is, and
    a list of other things than messages has one at an end. A message is known by its content, so that one of a
    program's own class will do, as in AutoGen.

    Raises:
        ArgumentTypeError: It is a text, one message, or anything else.
    """
    # A pydantic model, such as a message, can be iterated: over its fields.
    if hasattr(given, "content") or isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise not_a_message(cast("object", given))
    if isinstance(given, Sequence) and given:
        messages = cast("Sequence[object]", given)
        for message in (messages[0], messages[-1]):
            if not hasattr(message, "content"):
                raise not_a_message(message)


def not_a_message(given: object) -> ArgumentTypeError:
    """The error for an object, among the messages to a model, that is not a message."""
    return ArgumentTypeError(
        "A model is given a list of SystemMessage, UserMessage, AssistantMessage and FunctionExecutionResultMessage,"
        f" such as [UserMessage(content='…', source='user')], not {given!r}"
    )


def check_list(what: str, given: object) -> None:
    """Refuse one object, a text or a dict in the place of a list.

    Args:
        what: What the list is of, for the error: ``The tools of agent 'writer'``.
        given: What was given.

    Raises:
        ArgumentTypeError: It is no list, nor anything like it.
    """
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise ArgumentTypeError(f"{what} are given as a list, not {given!r}")


def check_text(name: str, owner: str, given: object) -> None:
    """Raise an error for an object that is not a string.

    Raises:
        ArgumentTypeError: It is something else.
    """
    if not isinstance(given, str):
        raise ArgumentTypeError(f"{name} of {owner} has to be a text, not {given!r}")


def check_flag(name: str, owner: str, given: object) -> None:
    """Raise an error for an object that is neither True nor False; None stands for the default.

    Raises:
        ArgumentTypeError: It is something else, such as the text ``"False"``, which counts as true.
    """
    if given is not None and not isinstance(given, int):
        raise ArgumentTypeError(f"{name} of {owner} is {given!r}: give True or False.")


def check_count(name: str, owner: str, given: object) -> None:
    """Raise an error for an object that is not an integer.

    Raises:
        ArgumentTypeError: It is something else.
    """
    if not isinstance(given, int):
        raise ArgumentTypeError(f"{name} of {owner} is {given!r}: give a whole number.")


def check_function(name: str, owner: str, given: object, example: str) -> None:
    """Raise an error for an object that cannot be called; None stands for none.

    Args:
        name: The argument's name.
        owner: Whose argument it is.
        given: What was given.
        example: A function that would do.

    Raises:
        ArgumentTypeError: It cannot be called.
    """
    if given is not None and not callable(given):
        raise ArgumentTypeError(f"{name} of {owner} has to be a function, such as {example}, not {given!r}")


def check_backend(owner: str, given: object) -> None:
    """Raise an error for an object that makes no sandboxes.

    Args:
        owner: Whose backend it is, for the error: ``SandboxPool``.
        given: What was given as the backend.

    Raises:
        ArgumentTypeError: It is the name of a sandbox, a class, an executor, or anything else.
    """
    if isinstance(given, type) or not (hasattr(given, "create") and hasattr(given, "unavailable_reason")):
        raise ArgumentTypeError(
            f"backend of {owner} is {given!r}: give a SandboxBackend, such as sandbox_kind('docker').make() or "
            "AutoBackend()."
        )


def check_path(name: str, owner: str, given: object) -> None:
    """Raise an error for an object that is not a path; None stands for none.

    Raises:
        ArgumentTypeError: It is something else.
    """
    if given is not None and not isinstance(given, str | os.PathLike):
        raise ArgumentTypeError(f"{name} of {owner} is {given!r}: give a path, such as 'results' or Path('results').")


def check_instance(name: str, owner: str, given: object, kind: type, example: str) -> None:
    """Raise an error for an object that is not of a class; None stands for none.

    Args:
        name: The argument's name.
        owner: Whose argument it is.
        given: What was given.
        kind: The class.
        example: An object that would do.

    Raises:
        ArgumentTypeError: It is something else.
    """
    if given is not None and not isinstance(given, kind):
        raise ArgumentTypeError(f"{name} of {owner} is {given!r}: give a {kind.__name__}, such as {example}.")


def check_key_values(name: str, owner: str, given: object, example: str) -> None:
    """Raise an error for what is no store of values by keys, such as the address of one.

    Args:
        name: The argument's name.
        owner: Whose argument it is.
        given: What was given.
        example: An object that would do.

    Raises:
        ArgumentTypeError: It has no methods `get` and `set`.
    """
    if not all(callable(getattr(given, method, None)) for method in ("get", "set")):
        raise ArgumentTypeError(f"{name} of {owner} is {given!r}: give an object such as {example}.")


def checked_model(owner: str, schema: type[ModelT], given: Mapping[str, object]) -> ModelT:
    """The arguments of an object as a pydantic model that describes them.

    Raises:
        InvalidArgumentError: One has another value than it may have. The text names each, and what it may be.
    """
    try:
        return schema.model_validate(given)
    except ValidationError as error:
        faults = "; ".join(validation_faults(error, "the arguments"))
        raise InvalidArgumentError(f"{owner} cannot be made: {faults}") from error


def check_each(name: str, owner: str, given: object, kind: type, example: str) -> None:
    """Raise an error for an object that is not a list of objects of a class.

    Args:
        name: The argument's name.
        owner: Whose argument it is.
        given: What was given.
        kind: The class.
        example: A list that would do.

    Raises:
        ArgumentTypeError: It is something else, or has something else in it.
    """
    if isinstance(given, Sequence) and not isinstance(given, str):
        wrong = [each for each in cast("Sequence[object]", given) if not isinstance(each, kind)]
        if not wrong:
            return
        given = wrong[0]
    raise ArgumentTypeError(f"{name} of {owner} has {given!r}: give a list, such as {example}.")
