"""The signature of a message handler: the types of its messages and of its answers."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, Union, cast

from symposia.core._message_context import MessageContext
from symposia.core.exceptions import HandlerSignatureError

_FIX = "Write it as: async def {name}({first}message: MyMessage, ctx: MessageContext) -> MyAnswer"
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_LEADING = 2  # the message and its context


MessageType: TypeAlias = type[Any]
"""A type in a handler's signature."""

ANYTHING: Final[MessageType] = cast("MessageType", Any)
"""Represents all types: `typing.Any`, which is not a type itself."""


@dataclass(frozen=True, slots=True)
class HandlerSignature:
    """The types in a handler's signature; `Any` stands for every type.

    Attributes:
        target_types: The message types that it takes.
        produces_types: The types that it may return.
    """

    target_types: tuple[MessageType, ...]
    produces_types: tuple[MessageType, ...]

    def takes(self, message: object) -> bool:
        """Whether the handler is meant for this message, which must be of exactly one of its types."""
        return type(message) in self.target_types or Any in self.target_types

    def may_return(self, result: object) -> bool:
        """Whether the signature allows this answer."""
        return Any in self.produces_types or isinstance(result, self.produces_types)


def read_signature(function: Callable[..., object], *, first: str = "self") -> HandlerSignature:
    """Read a handler's signature, in which the parameters count by position, whatever their names.

    Args:
        function: The handler.
        first: The name of the parameter that comes before the message, for error messages.

    Raises:
        HandlerSignatureError: It is not that of a handler; the text says how to write one.
    """
    name = getattr(function, "__qualname__", None) or repr(function)

    def mistake(what: str) -> HandlerSignatureError:
        fix = _FIX.format(name=getattr(function, "__name__", "handle"), first=f"{first}, ")
        return HandlerSignatureError(f"{name}: {what}. {fix}")

    shape = _wrong_shape(function)
    if shape is not None:
        raise mistake(shape)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    hints = _resolved_hints(function, mistake)
    required = [p for p in parameters if p.default is p.empty and p.kind in (*_POSITIONAL, p.KEYWORD_ONLY)]
    leading = [p for p in parameters if p.kind in _POSITIONAL][:_LEADING]
    if len(leading) < _LEADING or len(required) > _LEADING or any(p not in leading for p in required):
        raise mistake("a message handler takes two arguments, the message and its context")
    message, context = leading
    if message.name not in hints:
        raise mistake(f"parameter {message.name!r} has no type, so nothing says which messages it takes")
    if not _is_context(hints.get(context.name, MessageContext)):
        raise mistake(f"parameter {context.name!r} comes second, so it is given the MessageContext")
    targets = _members(hints[message.name])
    if not all(target is Any or isinstance(target, type) for target in targets):
        raise mistake(f"messages of type {hints[message.name]} cannot be checked at run time: wrap them in a class")
    produces = tuple(_runtime_type(member) for member in _members(hints.get("return", Any)))
    return HandlerSignature(targets, produces)


def _wrong_shape(function: object) -> str | None:
    """The fault of a handler that is not a plain function or method; None if it is one."""
    kind: type[object] = type(function)
    if kind in (staticmethod, classmethod, property):
        return f"a message handler is a method with self, and this is a {kind.__name__}"
    if not callable(function):
        return "a message handler is a function or a method"
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        return "a message handler returns one answer, and this one yields"
    return None


def _resolved_hints(function: Callable[..., object], mistake: Callable[[str], HandlerSignatureError]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except NameError as error:
        raise mistake(
            f"its annotations use a name that does not exist where the module is read ({error}): define message types "
            "at module level, or drop `from __future__ import annotations`"
        ) from error


def _members(hint: Any) -> tuple[Any, ...]:
    """The types of a union, or the one type; `object` is as good as `Any`."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        return tuple(member for part in typing.get_args(hint) for member in _members(part))
    if hint is None:
        return (type(None),)
    return (Any,) if hint is object else (hint,)


def _runtime_type(hint: Any) -> Any:
    """The classes of a type that `isinstance` can check."""
    plain = typing.get_origin(hint) or hint
    return plain if isinstance(plain, type) else Any


def _is_context(hint: Any) -> bool:
    return hint is Any or (isinstance(hint, type) and issubclass(MessageContext, hint))
