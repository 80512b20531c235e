"""The configuration of a component, derived from its constructor.

Each argument becomes a field of a pydantic model, under its own name and with its own type, but that

- a type that JSON cannot hold stands for a component of that type: ``ChatCompletionClient`` becomes `ComponentModel`;
- ``type[BaseModel]`` becomes `SavedModelType`, the class written down as its schema;
- functions, and all other classes, have no form in JSON. Beside other types they are left out; where nothing else is
  left, the field takes nothing.
"""

from __future__ import annotations

import types
from collections import abc
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import (
    Annotated,
    Any,
    Final,
    NoReturn,
    NotRequired,
    Required,
    TypeVar,
    Union,
    get_args,
    get_origin,
    is_typeddict,
)

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    SecretBytes,
    SecretStr,
    TypeAdapter,
    create_model,
)
from pydantic.errors import PydanticUserError
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from typing_extensions import TypedDict

from symposia.core._component._constructor import Argument, constructor_of, options_of
from symposia.core._component._model import ComponentModel
from symposia.core._field_names import field_names

# Any: what annotates is of no type that could be said
_SEQUENCES: Final[frozenset[Any]] = frozenset({list, abc.Sequence, abc.Collection, abc.Iterable})
_MAPPINGS: Final[frozenset[Any]] = frozenset({dict, abc.Mapping, abc.MutableMapping})
_CONTAINERS: Final[frozenset[Any]] = frozenset({set, frozenset, tuple, abc.Set}) | _SEQUENCES | _MAPPINGS
_FUNCTION: Final[Any] = abc.Callable


class DerivedConfig(BaseModel, defer_build=True):
    """The base of all configurations that are derived."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, serialize_by_alias=True, protected_namespaces=())


class OpenConfig(DerivedConfig, defer_build=True):
    """The base of those whose constructor takes more than it names."""

    model_config = ConfigDict(extra="allow")


class SavedModelType(BaseModel, defer_build=True):
    """A pydantic model class, written down.

    Attributes:
        json_schema: Its JSON schema.
    """

    model_config = ConfigDict(extra="forbid")

    json_schema: dict[str, Any]


class Unsavable:
    """The type of what has no form in JSON: nothing is of this type."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Refuse every value."""
        return core_schema.no_info_plain_validator_function(_refuse)


@lru_cache(maxsize=1024)
def config_schema_of(cls: type) -> type[DerivedConfig]:
    """The configuration of a class, derived from its constructor.

    Raises:
        ComponentError: A type in the signature cannot be found where the class is defined.
    """
    constructor = constructor_of(cls)
    names = field_names(list(constructor.arguments))
    fields: dict[str, Any] = {
        names[name]: _field(name, names[name], argument) for name, argument in constructor.arguments.items()
    }
    base = OpenConfig if constructor.open_ended else DerivedConfig
    return create_model(f"{cls.__name__}Config", __base__=base, __module__=cls.__module__, **fields)


@lru_cache(maxsize=1024)
def component_types_of(cls: type) -> Mapping[str, tuple[type, ...]]:
    """Which components each argument of a class takes: empty for one that takes none."""
    return {name: tuple(_components_in(each.annotation)) for name, each in constructor_of(cls).arguments.items()}


def secrets_of(cls: type) -> frozenset[str]:
    """The arguments of a class that are not written down: those that it names, and those of the type `SecretStr`."""
    named: frozenset[str] = getattr(cls, "component_secrets", frozenset())
    return named | {name for name, each in constructor_of(cls).arguments.items() if _is_secret(each.annotation)}


def savable(annotation: Any) -> Any:
    """The form in which values of a type are written down; `Unsavable` where there is none."""
    origin, args = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, TypeVar):
        return savable(annotation.__bound__ or Any)
    if origin is Annotated:
        inner = savable(args[0])
        return annotation if inner is args[0] else inner
    if origin in {Union, types.UnionType}:
        return _union([savable(arg) for arg in args])
    if origin is type or annotation is type:
        return SavedModelType if _is_model_class(*args) else Unsavable
    if origin in _CONTAINERS and args:
        items = tuple(arg if arg is ... else savable(arg) for arg in args)
        return list[items[0]] if origin in _SEQUENCES else origin[items]
    if (origin or annotation) is _FUNCTION:
        return Unsavable
    if is_typeddict(annotation):
        return _typed_dict(annotation)
    return ComponentModel if is_component_type(origin or annotation) else _plain(annotation)


def is_component_type(kind: object) -> bool:
    """Whether values of a type are saved as components: because they are, or because they have no other form."""
    return isinstance(kind, type) and (hasattr(kind, "dump_component") or _plain(kind) is Unsavable)


def _field(name: str, field: str, argument: Argument) -> tuple[Any, Any]:
    alias = None if field == name else name
    kind = savable(argument.annotation)
    if argument.kind is argument.kind.VAR_POSITIONAL:
        return list[kind], Field(default_factory=list, alias=alias)
    if argument.required:
        return kind, Field(alias=alias)
    may_be_none = Union[kind, None] if argument.default is None else kind  # noqa: UP007 - `|` does not take every kind
    return may_be_none, Field(default=argument.default, alias=alias)


def _union(forms: list[Any]) -> Any:
    """One of several forms. A model class cannot be told from a mapping, which is therefore what it is taken for."""
    left = [form for form in forms if form is not Unsavable]
    if any(get_origin(form) in _MAPPINGS for form in left):
        left = [form for form in left if form is not SavedModelType]
    return Union[tuple(left)] if left else Unsavable  # noqa: UP007 - their number is not known


@lru_cache(maxsize=1024)
def _typed_dict(annotation: Any) -> Any:
    """The same with values that can be saved, since pydantic takes none of `typing` before Python 3.12."""
    keys = {
        name: (Required if key.required else NotRequired)[savable(key.annotation)]
        for name, key in options_of(annotation).items()
    }
    # Any: a class that is made here has no type that could be said
    typed: Any = TypedDict(annotation.__name__, keys)  # pyright: ignore[reportArgumentType] - the keys are not literal
    typed.__pydantic_config__ = ConfigDict(extra="allow")
    return typed


@lru_cache(maxsize=1024)
def _plain(annotation: Any) -> Any:
    """The type itself, if JSON can hold its values."""
    try:
        TypeAdapter(Any if annotation is object else annotation)
    except (PydanticUserError, TypeError):  # the latter of generics over ParamSpec
        return Unsavable
    return Any if annotation is object else annotation


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or annotation is SecretBytes or any(map(_is_secret, get_args(annotation)))


def _is_model_class(*bounds: Any) -> bool:
    return any(isinstance(bound, type) and issubclass(bound, BaseModel) for bound in bounds)


def _components_in(annotation: Any) -> Iterator[type]:
    """The types of components that a type is made of."""
    origin = get_origin(annotation)
    kind = origin or annotation
    if isinstance(annotation, TypeVar):
        yield from _components_in(annotation.__bound__)
    elif origin in {Annotated, Union, types.UnionType} or origin in _CONTAINERS:
        for arg in get_args(annotation):
            yield from _components_in(arg)
    elif kind is not type and kind is not _FUNCTION and is_component_type(kind):
        yield kind


def _refuse(value: object) -> NoReturn:
    raise PydanticCustomError("unsavable", "{value} has no form in JSON", {"value": describe(value)})


def describe(value: object) -> str:
    """What a value is, for people to read."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, types.FunctionType):
        return f"the function {value.__name__}"
    return f"{type(value).__name__} object"
