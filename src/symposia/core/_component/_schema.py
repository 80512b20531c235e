"""The JSON forms of components, and the configuration of a component, derived from its constructor.

Each argument becomes a field of a pydantic model, under its own name and with its own type, but that

- a type that JSON cannot hold stands for a component of that type: ``ChatCompletionClient`` becomes `ComponentModel`;
- ``type[BaseModel]`` becomes `SavedModelType`, the class saved as its schema;
- functions, and all other classes, have no form in JSON. Beside other types they are left out; where nothing else is
  left, the field takes nothing.
"""

from __future__ import annotations

import copy
import types
from collections import abc
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NoReturn,
    NotRequired,
    Required,
    Self,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
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
from typing_extensions import TypedDict, is_typeddict

from symposia.core._component._constructor import Argument, TypeForm, constructor_of, kept_with_class, options_of
from symposia.core._field_names import field_names

_SEQUENCES: Final[frozenset[TypeForm]] = frozenset({list, abc.Sequence, abc.Collection, abc.Iterable})
_MAPPINGS: Final[frozenset[TypeForm]] = frozenset({dict, abc.Mapping, abc.MutableMapping})
_CONTAINERS: Final[frozenset[TypeForm]] = frozenset({set, frozenset, tuple, abc.Set}) | _SEQUENCES | _MAPPINGS
_FUNCTION: Final[TypeForm] = abc.Callable


ComponentType: TypeAlias = (
    Literal["model", "agent", "tool", "termination", "token_provider", "workbench"] | str  # noqa: PYI051 - AutoGen's
)
"""The kind of a component: one of these, or any other word."""


class ComponentModel(BaseModel, defer_build=True):
    """A saved component: its provider, its configuration and their version.

    Attributes:
        provider: The class, as ``package.module.Class``.
        component_type: Its kind, such as ``agent``.
        version: AutoGen's other field for the same; equal to `component_version`.
        component_version: The version of its configuration. A class at a later one converts it.
        description: For people.
        label: Its name, for people.
        config: The arguments of its constructor, as JSON.
    """

    provider: str
    component_type: ComponentType | None = None
    version: int | None = None
    component_version: int | None = None
    description: str | None = None
    label: str | None = None
    config: dict[str, Any]


class DerivedConfig(BaseModel, defer_build=True):
    """The base of all configurations that are derived."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, serialize_by_alias=True, protected_namespaces=())


class OpenConfig(DerivedConfig, defer_build=True):
    """The base of configurations whose constructor takes more parameters than it names."""

    model_config = ConfigDict(extra="allow")


class SavedModelType(BaseModel, defer_build=True):
    """A pydantic model class, saved as its schema.

    Attributes:
        json_schema: Its JSON schema.
    """

    model_config = ConfigDict(extra="forbid")

    json_schema: dict[str, Any]

    @classmethod
    def of(cls, model: type[BaseModel]) -> Self:
        """Save a class.

        Raises:
            InvalidArgumentError: No class can be made of its schema.
        """
        saved = cls(json_schema=model.model_json_schema())
        saved.restored()  # raises now, where the class can still be changed, and not when the JSON is loaded
        return saved

    def restored(self) -> type[BaseModel]:
        """A class that accepts the values of the schema.

        It gives the schema that was saved as its own, since that is what a model is shown, and not every schema comes
        back from the class that is made of it: one with enumerations among its ``$defs`` does not, for example.
        """
        from symposia.core.utils import schema_to_pydantic_model  # noqa: PLC0415 - few programs save or load a class

        model = schema_to_pydantic_model(self.json_schema, self.json_schema.get("title") or "GeneratedModel")

        def model_json_schema(*_: object, **__: object) -> dict[str, Any]:
            return copy.deepcopy(self.json_schema)

        setattr(model, "model_json_schema", model_json_schema)  # noqa: B010 - a checker sees a method there
        return model


class Unsavable:
    """The type of values that have no form in JSON. It has no instances, so that validation refuses all values."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Refuse every value."""
        return core_schema.no_info_plain_validator_function(_refuse)


@kept_with_class
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


@kept_with_class
def component_types_of(cls: type) -> Mapping[str, tuple[type, ...]]:
    """Which components each argument of a class takes: empty for one that takes none."""
    return {name: tuple(_components_in(each.annotation)) for name, each in constructor_of(cls).arguments.items()}


@kept_with_class
def secrets_of(cls: type) -> frozenset[str]:
    """The arguments of a class that are not saved: those that it names, and those of the type `SecretStr`."""
    named: frozenset[str] = getattr(cls, "component_secrets", frozenset())
    return named | {name for name, each in constructor_of(cls).arguments.items() if _is_secret(each.annotation)}


def savable(annotation: TypeForm) -> TypeForm:
    """The form in which values of a type are saved; `Unsavable` where there is none."""
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


def _field(name: str, field: str, argument: Argument) -> tuple[TypeForm, object]:
    alias = None if field == name else name
    kind = savable(argument.annotation)
    if argument.kind is argument.kind.VAR_POSITIONAL:
        return list[kind], Field(default_factory=list, alias=alias)
    if argument.required:
        return kind, Field(alias=alias)
    may_be_none = Union[kind, None] if argument.default is None else kind  # noqa: UP007 - `|` does not take every kind
    return may_be_none, Field(default=argument.default, alias=alias)


def _union(forms: list[TypeForm]) -> TypeForm:
    """One of several forms. A model class cannot be distinguished from a mapping, and is taken for one."""
    left = [form for form in forms if form is not Unsavable]
    if any(get_origin(form) in _MAPPINGS for form in left):
        left = [form for form in left if form is not SavedModelType]
    return Union[tuple(left)] if left else Unsavable  # noqa: UP007 - their number is not known


@lru_cache(maxsize=1024)
def _typed_dict(annotation: TypeForm) -> TypeForm:
    """The same with values that can be saved, since pydantic takes none of `typing` before Python 3.12."""
    keys = {
        name: (Required if key.required else NotRequired)[savable(key.annotation)]
        for name, key in options_of(annotation).items()
    }
    typed: TypeForm = TypedDict(annotation.__name__, keys)  # pyright: ignore[reportArgumentType] - the keys are not literal
    typed.__pydantic_config__ = ConfigDict(extra="allow")
    return typed


@lru_cache(maxsize=1024)
def _plain(annotation: TypeForm) -> TypeForm:
    """The type itself, if JSON can hold its values."""
    # Pydantic alone knows what it can validate: so it is asked, and the answer is kept. A list of types of our own
    # would be another one with each of its releases.
    try:
        TypeAdapter(Any if annotation is object else annotation)
    except (PydanticUserError, TypeError):  # the latter of generics over ParamSpec
        return Unsavable
    return Any if annotation is object else annotation


def _is_secret(annotation: TypeForm) -> bool:
    return annotation is SecretStr or annotation is SecretBytes or any(map(_is_secret, get_args(annotation)))


def _is_model_class(*bounds: TypeForm) -> bool:
    """Whether values are classes of models: by the bound itself, or by that of a type variable."""
    kinds = [bound.__bound__ if isinstance(bound, TypeVar) else bound for bound in bounds]
    return any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds)


def _components_in(annotation: TypeForm) -> Iterator[type]:
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
    """A description of a value for an error's text."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, types.FunctionType):
        return f"the function {value.__name__}"
    return f"{type(value).__name__} object"
