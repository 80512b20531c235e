"""How a function's signature becomes a pydantic model of its arguments, and back into a call."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo

from symposia.core._field_names import field_names
from symposia.core.exceptions import InvalidArgumentError

TOKEN_PARAMETER: Final = "cancellation_token"  # noqa: S105 - no password, the name of a parameter

_VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_CONFIG: Final = ConfigDict(populate_by_name=True, serialize_by_alias=True, protected_namespaces=())


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolSignature:
    """What there is to know of a function that is to be a tool.

    Attributes:
        name: The function's own name.
        args_type: One field a parameter, the cancellation token left out.
        return_type: What it returns; `object` where it does not say.
        positional: The fields of its positional-only parameters, in order.
        keywords: Its other parameters, each with its field.
        takes_token: Whether it wants the cancellation token.
        is_async: Whether it is an ``async def``.
    """

    name: str
    args_type: type[BaseModel]
    return_type: type[Any]
    positional: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]
    takes_token: bool
    is_async: bool

    def bind(self, args: BaseModel, cancellation_token: object) -> tuple[list[Any], dict[str, Any]]:
        """The positional and keyword arguments of a call."""
        keywords = {parameter: getattr(args, field) for parameter, field in self.keywords}
        if self.takes_token:
            keywords[TOKEN_PARAMETER] = cancellation_token
        return [getattr(args, field) for field in self.positional], keywords


def read_signature(func: Callable[..., Any]) -> ToolSignature:
    """Read the signature of a function, a method, a partial or any other callable.

    Raises:
        InvalidArgumentError: A tool cannot be made of it; the text says what to change.
    """
    function, name = _underlying(func)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidArgumentError(f"Tool '{name}': a generator gives no single result; return one value instead.")
    signature = inspect.signature(func)
    hints = _type_hints(function, name)
    parameters = [parameter for parameter in signature.parameters.values() if parameter.name != TOKEN_PARAMETER]
    fields = field_names([parameter.name for parameter in parameters])
    is_positional = {parameter.name: parameter.kind is parameter.POSITIONAL_ONLY for parameter in parameters}
    return ToolSignature(
        name=name,
        args_type=_args_model(name, parameters, fields, hints),
        return_type=hints.get("return", object),
        positional=tuple(fields[parameter] for parameter in fields if is_positional[parameter]),
        keywords=tuple((parameter, field) for parameter, field in fields.items() if not is_positional[parameter]),
        takes_token=TOKEN_PARAMETER in signature.parameters,
        is_async=inspect.iscoroutinefunction(function),
    )


def _underlying(func: Callable[..., Any]) -> tuple[Callable[..., Any], str]:
    """The function that carries the annotations, and the name to go by."""
    while isinstance(func, functools.partial):
        func = cast("functools.partial[Any]", func).func
    if inspect.isroutine(func):
        return func, func.__name__
    if inspect.isclass(func):
        return func.__init__, func.__name__
    if not callable(func):
        raise InvalidArgumentError(f"A tool is made of a function, not of {func!r}.")
    return type(func).__call__, type(func).__name__


def _type_hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise InvalidArgumentError(
            f"Tool '{name}': {error}. The types in its signature must be importable where it is defined."
        ) from error


def _args_model(
    name: str, parameters: list[inspect.Parameter], fields: Mapping[str, str], hints: Mapping[str, Any]
) -> type[BaseModel]:
    definitions: dict[str, Any] = {
        fields[parameter.name]: _field(parameter, fields[parameter.name], hints, name) for parameter in parameters
    }
    try:
        return create_model(f"{name}args", __config__=_CONFIG, **definitions)
    except PydanticUserError as error:
        raise InvalidArgumentError(f"Tool '{name}' has a parameter of a type that JSON cannot give: {error}") from error


def _field(parameter: inspect.Parameter, field: str, hints: Mapping[str, Any], tool: str) -> tuple[Any, Any]:
    """The type and the default of a field, as `create_model` takes them."""
    if parameter.kind in _VARIADIC:
        raise InvalidArgumentError(f"Tool '{tool}': a model cannot fill {parameter}; name each parameter instead.")
    if parameter.name not in hints:
        raise InvalidArgumentError(
            f"Tool '{tool}': the parameter '{parameter.name}' has no type. Write one, such as {parameter.name}: str."
        )
    kind, notes = _split(hints[parameter.name])
    texts = [note for note in notes if isinstance(note, str)]
    notes = [note for note in notes if not isinstance(note, str)]
    about: dict[str, Any] = {} if field == parameter.name else {"alias": parameter.name}
    if texts or not _is_described([*notes, parameter.default]):
        about["description"] = texts[0] if texts else parameter.name
    default = ... if parameter.default is parameter.empty else parameter.default
    return Annotated[(kind, *notes, Field(**about))], default


def _split(hint: Any) -> tuple[Any, list[Any]]:
    if get_origin(hint) is not Annotated:
        return hint, []
    kind, *notes = get_args(hint)
    return kind, notes


def _is_described(notes: list[Any]) -> bool:
    return any(isinstance(note, FieldInfo) and note.description is not None for note in notes)
