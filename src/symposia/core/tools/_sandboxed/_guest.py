"""Describes or calls a function that is given as source: a program for the inside of a sandbox.

It is sent with each request as the text of this file, and needs nothing but the standard library. A request and its
answer are JSON. Types travel as JSON too: the name of a plain type, or a list of a kind and its parts, such as
``["list", "str"]`` (see `describe_type`, and `_description` for the reader).

The answer is one line on the stdout that the sandbox gave, which begins with a token of the host. The function gets
stderr as its stdout, so that nothing that it prints, and nothing that a program of its own prints, is taken for an
answer. It can find the real stdout and the token, since it is in this process; all that it can forge is its own answer.
"""

from __future__ import annotations

import ast
import asyncio
import datetime as dt
import decimal
import enum
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import json
import linecache
import os
import pathlib
import sys
import traceback
import types
import typing
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, NoReturn, cast

TOKEN_PARAMETER: Final = "cancellation_token"  # noqa: S105 - no password, the name of a parameter
TRACEBACK_LINES: Final = 12
TRACEBACK_LENGTH: Final = 2000  # characters, about 500 tokens of a model
DEEPEST: Final = 100  # levels of a result that comes back as JSON; the host's parser stops at 200
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
LARGEST_BITS: Final = 14_000  # of an integer: Python writes and reads 4,300 digits
CONSTRAINTS: Final = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern")

PLAIN: Final[dict[Any, str]] = {
    str: "str",
    int: "int",
    float: "float",
    bool: "bool",
    bytes: "bytes",
    type(None): "None",
    typing.Any: "Any",
    object: "object",
    list: "list",
    dict: "dict",
    tuple: "tuple",
    set: "set",
    frozenset: "frozenset",
    dt.datetime: "datetime",
    dt.date: "date",
    dt.time: "time",
    decimal.Decimal: "Decimal",
    uuid.UUID: "UUID",
    pathlib.Path: "Path",
    Sequence: "Sequence",
    Mapping: "Mapping",
    Iterable: "Iterable",
}
FROM_TEXT: Final[dict[Any, Callable[[str], object]]] = {
    dt.datetime: dt.datetime.fromisoformat,
    dt.date: dt.date.fromisoformat,
    dt.time: dt.time.fromisoformat,
    decimal.Decimal: decimal.Decimal,
    uuid.UUID: uuid.UUID,
    pathlib.Path: pathlib.Path,
    bytes: str.encode,
}
COLLECTIONS: Final[dict[Any, Callable[[Iterable[Any]], object]]] = {
    list: list,
    set: set,
    frozenset: frozenset,
    Sequence: list,
    Iterable: list,
}


class UnknownTypeError(Exception):
    """A type that has no description."""


class CancellationToken:
    """Stands for AutoGen's: a cancelled call ends with its process, so that nothing is ever cancelled inside."""

    def is_cancelled(self) -> bool:
        """Say that the call goes on."""
        return False

    def add_callback(self, callback: object) -> None:
        """Do nothing: it would never be called."""

    def link_future(self, future: Any) -> Any:
        """Do nothing to the future."""
        return future


class Field:
    """Stands for pydantic's, where it is not installed."""

    def __init__(self, default: Any = ..., **options: Any) -> None:
        self.default = default
        self.description = options.get("description")
        self.metadata = [types.SimpleNamespace(**options)]


class StandIns(importlib.abc.Loader, importlib.abc.MetaPathFinder):
    """Offers the few names that signatures of tools import from packages that a sandbox lacks.

    It is asked last, so that a package that is installed is imported.
    """

    names: ClassVar[dict[str, Mapping[str, object]]] = {
        "autogen_core": {"CancellationToken": CancellationToken},
        "symposia": {},
        "symposia.core": {"CancellationToken": CancellationToken},
        "pydantic": {"Field": Field},
        "typing_extensions": vars(typing),
    }

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:  # noqa: ARG002 - the interface of finders
        """Find one of the packages."""
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if name in self.names else None

    def create_module(self, spec: object) -> None:
        """Let Python make the module."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Put the names into it."""
        public = {name: value for name, value in self.names[module.__name__].items() if not name.startswith("_")}
        vars(module).update(public)


def define(source: str, imports: str, filename: str) -> Any:
    """Run the source, and return its last function."""
    sys.meta_path.append(StandIns())
    text = f"{imports}\n{source}"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": "symposia_tool"}
    exec(compile(text, filename, "exec", dont_inherit=True), namespace)  # noqa: S102 - the point of it
    defined = [each.name for each in ast.parse(source).body if isinstance(each, FUNCTIONS)]
    if not defined:
        raise ValueError("its source_code defines no function")
    return namespace[defined[-1]]


def refuse_missing_imports(source: str) -> None:
    """Refuse a function that cannot work here: it begins with imports of what is not installed.

    Only the statements of its body itself count, not those below an ``if`` or a ``try``, which it may do without.

    Raises:
        ModuleNotFoundError: A package is missing.
    """
    functions = [each for each in ast.parse(source).body if isinstance(each, FUNCTIONS)]
    for statement in functions[-1].body:
        names = [each.name for each in statement.names] if isinstance(statement, ast.Import) else []
        if isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            names = [statement.module]
        for name in names:
            package = name.partition(".")[0]
            if package not in sys.modules and importlib.util.find_spec(package) is None:
                raise ModuleNotFoundError(f"No module named {package!r}")


def describe(function: Any) -> dict[str, Any]:
    """The signature as JSON."""
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ValueError("a generator gives no single result; return one value instead")
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    described = [describe_parameter(each, hints) for each in parameters if each.name != TOKEN_PARAMETER]
    return {"parameters": described, "returns": describe_result(hints.get("return"), is_declared="return" in hints)}


def describe_parameter(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter as JSON."""
    described: dict[str, Any] = {"name": parameter.name, "kind": parameter.kind.name}
    try:
        if parameter.name in hints:
            described["type"] = describe_type(hints[parameter.name])
    except UnknownTypeError as error:
        raise ValueError(
            f"the type {error} of its parameter {parameter.name!r} cannot be described outside of the sandbox; use "
            "plain types, or load it with trust_code=True"
        ) from None
    default = parameter.default
    if is_field(default):
        described["field"] = describe_field(default)
        default = getattr(default, "default", ...)
        if default is ... or type(default).__name__ == "PydanticUndefinedType":
            return described
    if default is not parameter.empty:
        try:
            described["default"] = {"value": jsonable(default)}
        except UnknownTypeError:  # it stays here: the argument is then left out of the call
            described["default"] = {}
    return described


def describe_result(hint: Any, *, is_declared: bool) -> Any:
    """The type of the result; "Any" where it has no description, since results are not validated."""
    try:
        return describe_type(hint if hint is not None else type(None)) if is_declared else None
    except UnknownTypeError:
        return "Any"


def describe_type(hint: Any) -> Any:
    """A type as JSON."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        notes = [note if isinstance(note, str) else describe_field(note) for note in parts[1:] if is_note(note)]
        return ["Annotated", describe_type(parts[0]), *notes]
    if origin is typing.Literal:
        if not all(type(part) in (str, int, bool, type(None)) for part in parts):
            raise UnknownTypeError(hint)
        return ["Literal", *parts]
    if origin in (typing.Union, types.UnionType):
        return ["Union", *map(describe_type, parts)]
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        members = {name: member.value for name, member in hint.__members__.items()}
        if not all(type(value) in (str, int) for value in members.values()):
            raise UnknownTypeError(hint)
        return ["Enum", hint.__name__, members]
    if origin is not None and origin in PLAIN:
        return [PLAIN[origin], *("..." if part is ... else describe_type(part) for part in parts)]
    try:
        return PLAIN[hint]
    except (KeyError, TypeError):
        raise UnknownTypeError(getattr(cast("Any", hint), "__name__", str(cast("Any", hint)))) from None


def is_field(value: object) -> bool:
    """Whether a value is a `Field` of pydantic, or the one that stands for it."""
    return type(value).__name__ in ("Field", "FieldInfo") and hasattr(value, "metadata")


def is_note(note: object) -> bool:
    """Whether a note of `Annotated` says something to pydantic. It ignores others, as do we."""
    return isinstance(note, str) or is_field(note)


def describe_field(field: Any) -> dict[str, Any]:
    """The description and the constraints of a `Field`."""
    found: dict[str, Any] = {"description": field.description} if isinstance(field.description, str) else {}
    for each in field.metadata:
        for name in CONSTRAINTS:
            if type(value := getattr(each, name, None)) in (str, int, float):
                found[name] = value
    return found


def jsonable(value: Any) -> Any:
    """A default as JSON, in the form in which an argument of its type comes.

    Raises:
        UnknownTypeError: It has none.
    """
    if isinstance(value, enum.Enum):
        return jsonable(value.value)
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode()
    if type(value) in FROM_TEXT or isinstance(value, pathlib.Path):
        return str(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(each) for each in cast("Iterable[Any]", value)]
    if isinstance(value, dict):
        return {jsonable(key): jsonable(each) for key, each in cast("dict[Any, Any]", value).items()}
    if type(value) in (str, int, float, bool, type(None)):
        return value
    raise UnknownTypeError(value)


def is_plain(value: Any, levels: int = DEEPEST) -> bool:
    """Whether a value is the same when it has been written and read as JSON."""
    if type(value) is int:
        return value.bit_length() <= LARGEST_BITS
    if type(value) in (str, float, bool, type(None)):
        return True
    if levels == 0:
        return False
    if type(value) is list:
        return all(is_plain(each, levels - 1) for each in cast("list[Any]", value))
    if type(value) is not dict:
        return False
    pairs = cast("dict[Any, Any]", value).items()
    return all(type(key) is str and is_plain(each, levels - 1) for key, each in pairs)


def convert(hint: Any, value: Any) -> Any:
    """An argument, which was validated outside, as the type of its parameter."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    kind = origin or hint
    if origin is typing.Annotated:
        return convert(parts[0], value)
    if origin in (typing.Union, types.UnionType):
        return convert_to_one_of(parts, value)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    if kind is tuple:
        inner = parts if parts and parts[-1] is not ... else parts[:1] * len(value)
        return tuple(map(convert, inner, value)) if parts else tuple(value)
    if kind in COLLECTIONS and isinstance(value, list):
        items = cast("list[Any]", value)
        return COLLECTIONS[kind](convert(parts[0], each) if parts else each for each in items)
    if isinstance(value, dict) and parts:
        pairs = cast("dict[Any, Any]", value).items()
        return {convert(parts[0], key): convert(parts[1], each) for key, each in pairs}
    if kind in (int, float) and isinstance(value, str):  # a key of an object
        return kind(value)
    return FROM_TEXT[kind](value) if kind in FROM_TEXT and isinstance(value, str) else cast("Any", value)


def convert_to_one_of(parts: Sequence[Any], value: Any) -> Any:
    """An argument as the first type that takes it, or that it is of already."""
    if type(value) in parts:
        return value
    for part in parts:
        try:
            converted = convert(part, value)
        except (ValueError, TypeError, AttributeError, ArithmeticError):
            continue
        if converted is not value:
            return converted
    return value


def call(function: Any, positional: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """The result of the function, or of its coroutine."""
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters
    if TOKEN_PARAMETER in parameters:
        keywords = {**keywords, TOKEN_PARAMETER: CancellationToken()}
    arguments = [convert(hints[name], value) for name, value in zip(parameters, positional, strict=False)]
    named = {
        name: value if name == TOKEN_PARAMETER else convert(hints[name], value) for name, value in keywords.items()
    }
    result = function(*arguments, **named)
    return asyncio.run(awaited(result)) if inspect.isawaitable(result) else result


async def awaited(result: Awaitable[Any]) -> Any:
    """The result of any awaitable; `asyncio.run` takes coroutines alone."""
    return await result


def text_of(value: Any) -> str:
    """The text of a result without a form in JSON, as a tool of this process would give it to a model."""
    if not callable(getattr(value, "model_dump", None)):
        return str(value)
    dump = value.model_dump()
    return json.dumps(dump, default=str) if isinstance(dump, dict) else str(dump)


def last_lines(error: BaseException, filename: str) -> str:
    """The end of the traceback, from the function on."""
    found = error.__traceback__
    while found is not None and found.tb_frame.f_code.co_filename != filename:
        found = found.tb_next
    kept = traceback.TracebackException(type(error), error, found)
    lines = "".join(kept.format()).rstrip().splitlines()
    return "\n".join(lines[-TRACEBACK_LINES:])[-TRACEBACK_LENGTH:]


def answer_to(request: dict[str, Any]) -> dict[str, Any]:
    """Describe or call the function of a request; return the answer."""
    filename = f"<tool {request['tool']}>"
    try:
        function = define(request["source"], request["imports"], filename)
        if request["kind"] == "describe":
            refuse_missing_imports(request["source"])
            return {"description": describe(function)}
        result = call(function, request["positional"], request["keywords"])
        return {"result": result if is_plain(result) else text_of(result)}
    except BaseException as error:  # noqa: BLE001 - SystemExit too; the host makes a tool's error of it
        return {"error": last_lines(error, filename)}


def main(request: str, token: str) -> NoReturn:
    """Answer a request, and end the process."""
    process, stdout = os.getpid(), os.dup(1)
    os.dup2(2, 1)
    answer = answer_to(json.loads(request))
    if os.getpid() == process:  # and not one that the function has forked
        line = f"{token}{json.dumps(answer, ensure_ascii=False)}\n".encode("utf-8", "replace")
        while line:
            line = line[os.write(stdout, line) :]
    # Without what Python does at the end of a program: the answer is there, and threads that the function has left
    # would delay it up to the time limit.
    os._exit(0)
