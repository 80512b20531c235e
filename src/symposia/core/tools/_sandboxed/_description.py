"""What the program in the sandbox says of a function, as a signature of this process.

A description is data from hostile code. Types are made of names in a table, and of the parts that are listed here;
nothing in it is evaluated. Their JSON schema and their validation are then those of any tool, since the same code makes
them: a description as JSON schema was rejected, as a second writer of schemas would differ from pydantic's.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, cast
from uuid import UUID

from pydantic import Field, JsonValue

from symposia.core.json_values import JsonObject
from symposia.core.tools._signature import TOKEN_PARAMETER

TypeForm: TypeAlias = Any
"""An annotation; no type of today's checkers holds them all."""

RemoteCall: TypeAlias = Callable[[Sequence[object], Mapping[str, object]], Awaitable[object]]
"""Calls the function: takes its positional arguments and its keywords."""

_PLAIN: Final[Mapping[str, TypeForm]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "bytes": bytes,
    "None": None,
    "Any": Any,
    "object": object,
    "list": list,
    "dict": dict,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "datetime": datetime,
    "date": date,
    "time": time,
    "Decimal": Decimal,
    "UUID": UUID,
    "Path": Path,
    "Sequence": Sequence,
    "Mapping": Mapping,
    "Iterable": Iterable,
}
_FIELD_OPTIONS: Final[Mapping[str, tuple[type, ...]]] = {
    "description": (str,),
    "pattern": (str,),
    "min_length": (int,),
    "max_length": (int,),
    "gt": (int, float),
    "ge": (int, float),
    "lt": (int, float),
    "le": (int, float),
    "multiple_of": (int, float),
}
_KINDS: Final = {
    kind.name: kind
    for kind in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
        inspect.Parameter.KEYWORD_ONLY,
        inspect.Parameter.VAR_KEYWORD,
    )
}


class LeftOut:
    """The default of a parameter whose own default has no form in JSON: the call is made without it."""


def remote_function(name: str, description: JsonObject, call: RemoteCall) -> Callable[..., Awaitable[object]]:
    """A function with the described signature, whose calls are made elsewhere.

    Raises:
        ValueError: The description is not of the form that the program in the sandbox gives.
        KeyError: Likewise.
        TypeError: Likewise.
        AttributeError: Likewise.
    """
    parameters = [_parameter(cast("JsonObject", each)) for each in cast("list[JsonValue]", description["parameters"])]
    returns = description["returns"]
    result: TypeForm = inspect.Signature.empty if returns is None else annotation(returns)

    async def remote(*positional: object, **keywords: object) -> object:
        given = list(positional)
        while given and isinstance(given[-1], LeftOut):
            given.pop()
        return await call(given, {key: value for key, value in keywords.items() if not isinstance(value, LeftOut)})

    # `inspect.signature` and `get_type_hints` read these, so that the tool's own code derives everything else.
    hints = {each.name: each.annotation for each in parameters if each.annotation is not inspect.Parameter.empty}
    signature = inspect.Signature(parameters, return_annotation=result)
    remote.__name__ = name
    remote.__annotations__ = hints if returns is None else {**hints, "return": result}
    remote.__signature__ = signature  # pyright: ignore[reportFunctionMemberAccess] - what `inspect` documents
    return remote


def _parameter(described: JsonObject) -> inspect.Parameter:
    if described["name"] == TOKEN_PARAMETER:  # which the program inside leaves out, as it has a token of its own there
        raise ValueError(f"a parameter {TOKEN_PARAMETER!r} is described")
    empty = inspect.Parameter.empty
    options = _field_options(described["field"]) if "field" in described else {}
    default: object = Field(**options) if options else empty
    if (of_default := cast("JsonObject | None", described.get("default"))) is not None:
        default = of_default.get("value")
        if "value" not in of_default:
            default = Field(default_factory=LeftOut, **options)
        elif options:
            default = Field(default, **options)
    return inspect.Parameter(
        cast("str", described["name"]),
        _KINDS[cast("str", described["kind"])],
        default=default,
        annotation=annotation(described["type"]) if "type" in described else empty,
    )


def annotation(described: JsonValue) -> TypeForm:
    """The type that a description stands for.

    Raises:
        ValueError: It stands for none.
        KeyError: Likewise.
        TypeError: Likewise.
    """
    if isinstance(described, str):
        return _PLAIN[described]
    if not isinstance(described, list):
        raise TypeError(f"a type is a text or a list, not {described!r}")
    kind, *parts = described
    match kind:
        case "Annotated":
            return Annotated[(annotation(parts[0]), *map(_note, parts[1:]))]
        case "Literal":
            return Literal[tuple(parts)]
        case "Union":
            return Union[tuple(map(annotation, parts))]  # noqa: UP007 - of a list of types
        case "Enum":
            return _enum(*parts)
        case str():
            return _PLAIN[kind][tuple(... if part == "..." else annotation(part) for part in parts)]
        case _:
            raise TypeError(f"{kind!r} is no kind of type")


def _note(described: JsonValue) -> object:
    return described if isinstance(described, str) else Field(**_field_options(described))


def _field_options(described: JsonValue) -> dict[str, Any]:  # Any: options of several types
    options = cast("JsonObject", described).items()
    if wrong := [name for name, value in options if type(value) not in _FIELD_OPTIONS[name]]:
        raise TypeError(f"{wrong[0]} of a field is of another type")
    return dict(options)


def _enum(name: JsonValue, members: JsonValue) -> type[Enum]:
    values = cast("dict[str, str | int]", members)
    # Names with an underscore configure an Enum (`_missing_`, `_ignore_`), and are no members.
    if not isinstance(name, str) or not all(key.isidentifier() and key[0] != "_" for key in values):
        raise ValueError("the names of an Enum are not those of members")
    return cast("type[Enum]", Enum(name, values))  # pyright takes a call by these types for the look-up of a value
