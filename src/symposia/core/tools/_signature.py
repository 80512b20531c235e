"""The signature of a function as a pydantic model of its arguments, and validated arguments as a call.

A signature is derived once for the code of a function, not once for each function object. A service makes its tools for
each request, as closures over the request, methods of an object or partials; deriving takes pydantic 0.8 ms. What the
code does not decide is compared at each use: annotations, default values, decorators, partials. A cache by these values
alone, without the code, was rejected: it would have to keep them alive.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as dataclass_fields
from types import CodeType, FunctionType, MethodType, NoneType
from typing import Annotated, Any, Final, TypeAlias, cast, get_args, get_origin
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo

from symposia.core._field_names import field_names
from symposia.core.exceptions import ArgumentTypeError, InvalidArgumentError

AnyFunction: TypeAlias = Callable[..., Any]  # Any: any function can be a tool

TOKEN_PARAMETER: Final = "cancellation_token"  # noqa: S105 - no password, the name of a parameter

_VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_CONFIG: Final = ConfigDict(populate_by_name=True, serialize_by_alias=True, protected_namespaces=())
_DECLARED: Final = frozenset({"__signature__", "_is_coroutine_mark"})
"""Attributes by which a function declares what its code does not say."""
_CONSTANTS: Final = (str, bytes, int, float, bool, NoneType)


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolSignature:
    """How a function is called, and what its arguments and its result are.

    Attributes:
        name: The name of the tool.
        args_type: One field a parameter, the cancellation token left out.
        return_type: The type of its result, without `Annotated`; `inspect.Signature.empty` if it declares none.
        positional: The fields of its positional-only parameters, in order.
        keywords: Its other parameters, each with its field.
        takes_token: Whether it has a parameter for the cancellation token.
    """

    name: str
    args_type: type[BaseModel]
    return_type: type[object]
    positional: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]
    takes_token: bool

    def bind(self, args: BaseModel, cancellation_token: object) -> tuple[list[object], dict[str, object]]:
        """The positional and keyword arguments of a call."""
        keywords = {parameter: getattr(args, field) for parameter, field in self.keywords}
        if self.takes_token:
            keywords[TOKEN_PARAMETER] = cancellation_token
        return [getattr(args, field) for field in self.positional], keywords


def read_signature(func: AnyFunction, name: str | None = None) -> ToolSignature:
    """Read the signature of a function, a method, a partial or any other callable.

    Args:
        func: The function.
        name: The name of the tool; by default, the function's own.

    Raises:
        InvalidArgumentError: It cannot be a tool; the text says what to change.
    """
    code = _cache_key(func)
    if code is None:
        return _derive(func, name)
    entries = _signatures.setdefault(code, {})
    entry = entries.get(name)
    if entry is not None and _all_same(entry.origin, _origin(func, resolve=entry.has_forward_references)):
        return entry.signature
    signature = _derive(func, name)
    resolve = _has_forward_references(func)
    if len(entries) >= _NAMES_KEPT:
        entries.clear()
    entries[name] = _Entry(resolve, _origin(func, resolve=resolve), signature)
    return signature


@dataclass(frozen=True, slots=True)
class _Entry:
    """A signature, and the other parts of the function that it was derived from; see `_origin`."""

    has_forward_references: bool
    origin: list[object]
    signature: ToolSignature


_signatures: Final[MutableMapping[CodeType, dict[str | None, _Entry]]] = WeakKeyDictionary()
"""The latest signature for each code and each name that a program has given to its tool.

One entry is enough for a name: the functions of one code seldom differ in more than what they close over, and where
they do, deriving again is correct."""

_NAMES_KEPT: Final = 64
"""How many names of one code are known at most; then all are forgotten.

A program that makes its tools from data has one closure with many names. One that makes up a name for each request must
not fill the memory."""


def _cache_key(func: AnyFunction) -> CodeType | None:
    """The code of a function, a method or a partial of one; None for callables whose signature may come from elsewhere.

    The values of a partial become defaults, which an entry would keep alive. So only constants are kept.
    """
    while isinstance(func, functools.partial):
        if not all(isinstance(value, _CONSTANTS) for value in func.keywords.values()):
            return None
        func = cast("functools.partial[object]", func).func
    function = _function_of(func)
    if not isinstance(function, FunctionType):
        return None
    for each in _with_wrapped(function):
        if not isinstance(each, FunctionType) or not _DECLARED.isdisjoint(vars(each)):
            return None
    return function.__code__


def _origin(func: AnyFunction, *, resolve: bool) -> list[object]:
    """The parts of a function besides its code that its signature is derived from.

    Args:
        func: A function that has a `_cache_key`.
        resolve: Whether the annotations have names in quotes. What those mean depends on the module, and changes when
            a notebook's cell is run again, so that the types are compared instead.
    """
    origin: list[object] = []
    while isinstance(func, functools.partial):
        origin += [functools.partial, len(func.args), *func.keywords, *func.keywords.values()]
        func = cast("functools.partial[object]", func).func
    origin.append(isinstance(func, MethodType))
    function = cast("FunctionType", _function_of(func))
    hints = _type_hints(function, function.__name__) if resolve else function.__annotations__
    origin += [function.__name__, *hints, *hints.values()]
    for each in cast("list[FunctionType]", _with_wrapped(function)):
        origin += [each.__code__, *(each.__defaults__ or ()), *(each.__kwdefaults__ or {}).values()]
    return origin


def _has_forward_references(func: AnyFunction) -> bool:
    function = cast("FunctionType", _function_of(_underlying(func)[0]))
    hints = _type_hints(function, function.__name__)
    return any(hints[key] is not value for key, value in function.__annotations__.items() if value is not None)


def _function_of(func: AnyFunction) -> object:
    return func.__func__ if isinstance(func, MethodType) else func


def _with_wrapped(function: FunctionType) -> list[AnyFunction]:
    """A function, and the functions that it decorates by `functools.wraps`, whose signature it takes over."""
    functions: list[AnyFunction] = [function]
    while (wrapped := vars(functions[-1]).get("__wrapped__")) is not None and wrapped not in functions:
        functions.append(wrapped)
        if not isinstance(wrapped, FunctionType):
            break
    return functions


def _all_same(known: Sequence[object], given: Sequence[object]) -> bool:
    return len(known) == len(given) and all(map(_is_same, known, given))


def _is_same(known: object, given: object) -> bool:
    """Whether a signature derived from one of these holds for the other.

    ``==`` is asked of constants only: ``Field(ge=0) == Field(ge=0)`` is false, and a comparison of metadata such as
    arrays may fail.
    """
    if known is given:
        return True
    if type(known) is not type(given):
        return False
    if isinstance(known, (*_CONSTANTS, CodeType)):
        return known == given
    parts = _parts(known)
    return parts is not None and _all_same(parts, _parts(given) or ())


def _parts(value: object) -> Sequence[object] | None:
    """The parts of an annotation, its metadata or a default that are compared; None where its identity is."""
    if (origin := get_origin(value)) is not None:
        return (origin, *get_args(value))
    if isinstance(value, FieldInfo):
        return [getattr(value, name, None) for name in FieldInfo.__slots__ if not name.startswith("_")]
    if isinstance(value, (list, tuple)):
        return cast("Sequence[object]", value)
    if isinstance(value, dict):
        return [part for item in cast("dict[object, object]", value).items() for part in item]
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in dataclass_fields(value)]
    return None


def _derive(func: AnyFunction, given_name: str | None) -> ToolSignature:
    function, own_name = _underlying(func)
    name = given_name or own_name
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
        return_type=cast("type[object]", _split(hints.get("return", inspect.Signature.empty))[0]),
        positional=tuple(fields[parameter] for parameter in fields if is_positional[parameter]),
        keywords=tuple((parameter, field) for parameter, field in fields.items() if not is_positional[parameter]),
        takes_token=TOKEN_PARAMETER in signature.parameters,
    )


def _underlying(func: AnyFunction) -> tuple[AnyFunction, str]:
    """The function that has the annotations, and its name."""
    while isinstance(func, functools.partial):
        func = cast("functools.partial[object]", func).func
    if inspect.isroutine(func):
        return func, func.__name__
    if inspect.isclass(func):
        return func.__init__, func.__name__
    if not callable(func):
        raise ArgumentTypeError(f"A tool is made of a function, not of {func!r}.")
    return type(func).__call__, type(func).__name__


def _type_hints(function: AnyFunction, name: str) -> dict[str, object]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise InvalidArgumentError(
            f"Tool '{name}': {error}. The types in its signature must be importable where it is defined."
        ) from error


def _args_model(
    name: str, parameters: list[inspect.Parameter], fields: Mapping[str, str], hints: Mapping[str, object]
) -> type[BaseModel]:
    definitions: dict[str, Any] = {
        fields[parameter.name]: _field(parameter, fields[parameter.name], hints, name) for parameter in parameters
    }
    try:
        return create_model(f"{name}args", __config__=_CONFIG, **definitions)
    except PydanticUserError as error:
        raise InvalidArgumentError(f"Tool '{name}' has a parameter of a type that JSON cannot give: {error}") from error


def _field(parameter: inspect.Parameter, field: str, hints: Mapping[str, object], tool: str) -> tuple[Any, Any]:
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


def _split(hint: object) -> tuple[object, list[object]]:
    if get_origin(hint) is not Annotated:
        return hint, []
    kind, *notes = get_args(hint)
    return kind, notes


def _is_described(notes: list[object]) -> bool:
    return any(isinstance(note, FieldInfo) and note.description is not None for note in notes)
