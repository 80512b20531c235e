"""Loading components from JSON.

The provider names a class, the class has a schema of its configuration, and the configuration makes an instance. Each
step is checked before the next is taken: `find_class` whether the class may be loaded, `load` whether it is a component
and of the kind that its place expects, the schema whether the configuration fits. Components inside the configuration
are `ComponentModel`s up to then; they are loaded last, one by one, with the kinds that the constructor says.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Final, Protocol, TypeVar, cast

from pydantic import BaseModel, ValidationError

from symposia.core._component._component import is_component_class
from symposia.core._component._constructor import constructor_of
from symposia.core._component._providers import (
    allow_components_from,
    find_class,
    is_autogens,
    trust_component_code,
)
from symposia.core._component._saving import MASK, explain
from symposia.core._component._schema import (
    ComponentModel,
    DerivedConfig,
    SavedModelType,
    component_types_of,
    secrets_of,
)
from symposia.core.exceptions import ComponentError

T = TypeVar("T")
_NOT_IN_JSON: Final = frozenset({"none_required", "unsavable"})
"""The faults of what is given for a callback, which is not saved, and for what has no form in JSON."""
_shared: Final[ContextVar[dict[object, object] | None]] = ContextVar("symposia_shared_in_load", default=None)


class Loadable(Protocol):
    """The attributes of a component class that loading uses."""

    component_version: ClassVar[int]
    component_config_schema: type[BaseModel]

    @classmethod
    def _from_config(cls, config: BaseModel) -> object: ...
    @classmethod
    def _from_config_past_version(cls, config: dict[str, object], version: int) -> object: ...
    @classmethod
    def _from_autogen(cls, config: Mapping[str, object]) -> Mapping[str, object]: ...


def read_model(model: ComponentModel | Mapping[str, object]) -> ComponentModel:
    """A deep copy of a saved component, so that loading it does not change the caller's.

    Raises:
        ComponentError: It is not a component; the text says what to give.
    """
    if not isinstance(model, (ComponentModel, Mapping)):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked programs
        given = "text" if isinstance(model, (str, bytes)) else f"a {type(model).__name__}"
        raise ComponentError(
            f"load_component takes a mapping or a ComponentModel, not {given}. For JSON text, give it json.loads(text)."
        )
    try:
        given = model if isinstance(model, ComponentModel) else ComponentModel.model_validate(model)
    except ValidationError as error:
        raise ComponentError(f"The JSON is not a component: {explain(error)}") from error
    return given.model_copy(deep=True)


def load_from(
    saved: ComponentModel | Mapping[str, Any],
    expected: tuple[type, ...],
    *,
    asked_for: type,
    allow: Iterable[str],
    trust_code: bool,
) -> Any:
    """Load the argument of a program's call: see `ComponentLoader.load_component`."""
    with ExitStack() as scope:
        scope.enter_context(allow_components_from(*allow))
        scope.enter_context(_sharing())
        if trust_code:
            scope.enter_context(trust_component_code())
        return load(read_model(saved), expected, asked_for=asked_for)


def shared_in_load(make: Callable[[], T]) -> T:
    """What `make` makes: one object for all components that one call of `load_component` makes, at any depth."""
    shared = _shared.get()
    if shared is None:
        return make()
    if make not in shared:
        shared[make] = make()
    return cast("T", shared[make])


@contextmanager
def _sharing() -> Generator[None]:
    # A component may load others in its own `_from_config`: those belong to the program's call too.
    if _shared.get() is not None:
        yield
        return
    token = _shared.set({})
    try:
        yield
    finally:
        _shared.reset(token)


def load(model: ComponentModel, expected: tuple[type, ...], *, asked_for: type | None = None) -> Any:
    """Make a component.

    Args:
        model: A saved component. It is not changed.
        expected: What it has to be one of; empty for anything.
        asked_for: A class that the program itself has named.

    Raises:
        ComponentError: It cannot be loaded; the text names its provider and says what to do.
    """
    found = find_class(model.provider, asked_for=asked_for)
    if not is_component_class(found):
        raise ComponentError(f"The provider {model.provider!r} is not a component: it cannot be made from JSON.")
    if expected and not _fits(found, expected):
        wanted = " or ".join(kind.__name__ for kind in expected)
        raise ComponentError(f"Expected a component of the class {wanted}, not the provider {model.provider!r}.")
    try:
        return _made(cast("type[Loadable]", found), model)
    except Exception as error:
        error.add_note(f"This was while loading the component {model.provider!r}.")
        raise


def _fits(found: type, expected: tuple[type, ...]) -> bool:
    try:
        return issubclass(found, expected)
    except TypeError:  # a protocol with properties tells only of instances
        return True


def _made(cls: type[Loadable], model: ComponentModel) -> object:
    # A configuration of an earlier version goes to the class unvalidated: only the class knows its old schema. One of a
    # later version is refused, since fields that are not known here would be lost without a word.
    schema: type[BaseModel] = cls.component_config_schema  # pyright: ignore[reportGeneralTypeIssues] - any schema will do
    config = _adapted(cls, schema, model) if is_autogens(model.provider) else model.config
    version = model.component_version
    if version is not None and version > cls.component_version:
        raise ComponentError(
            f"{model.provider!r} was saved at version {version} of its configuration, and is only at version "
            f"{cls.component_version} here. Install the version that saved it, or a later one."
        )
    if version is not None and version < cls.component_version:
        return cls._from_config_past_version(dict(config), version)
    if issubclass(schema, DerivedConfig):
        config = {name: value for name, value in config.items() if name not in _masked(cls, config)}
    return cls._from_config(_validated(cls, schema, config, model))


def _adapted(cls: type[Loadable], schema: type[BaseModel], model: ComponentModel) -> Mapping[str, object]:
    """The arguments of our constructor from a configuration that AutoGen saved."""
    config = cls._from_autogen(model.config)
    if schema.model_config.get("extra") != "forbid":
        return config
    known = {info.alias or name for name, info in schema.model_fields.items()}
    unknown = [name for name in config if name not in known]
    if unknown:
        warnings.warn(
            f"{model.provider!r} has fields that {cls.__name__} does not have, and which are left out: {unknown}",
            stacklevel=2,
        )
    return {name: value for name, value in config.items() if name not in unknown}


def _masked(cls: type, config: Mapping[str, object]) -> set[str]:
    """The secrets that were not saved."""
    return {name for name in secrets_of(cls) if config.get(name) == MASK}


def _validated(
    cls: type[Loadable], schema: type[BaseModel], config: Mapping[str, object], model: ComponentModel
) -> BaseModel:
    try:
        return schema.model_validate(config)
    except ValidationError as error:
        masked = sorted(_masked(cls, model.config))
        hint = f" Secrets are not saved: write them in place of {MASK!r} ({', '.join(masked)})." if masked else ""
        what = f"{explain(error)}.{hint}{_hint_for_code(error)}"
        raise ComponentError(f"The configuration of {model.provider!r} does not fit: {what}") from error


def _hint_for_code(error: ValidationError) -> str:
    """What to do where a field has a text for something that JSON cannot hold, such as a function."""
    faults = error.errors(include_url=False)
    given = {str(fault["loc"][0]) for fault in faults if fault["type"] in _NOT_IN_JSON and fault["loc"]}
    if not given:
        return ""
    names = ", ".join(sorted(given))
    return (
        " Code in JSON is only taken as the source_code of a tool, which runs in a sandbox. Leave out "
        f"{names}, or make the object in the program, with {names} as an argument."
    )


def construct(cls: type, config: BaseModel) -> object:
    """Construct an instance with the arguments in a configuration. The others have the constructor's defaults."""
    components = component_types_of(cls)
    fields = type(config).model_fields
    names = {field: fields[field].alias or field for field in fields}
    said = [field for field in config.model_fields_set if field in fields]
    values: dict[str, object] = {names[field]: getattr(config, field) for field in said}
    values.update(config.model_extra or {})
    return constructor_of(cls).call(
        cls, {name: _read(value, components.get(name, ())) for name, value in values.items()}
    )


def _read(value: object, components: tuple[type, ...]) -> object:
    """A value with its components and classes made again."""
    if isinstance(value, ComponentModel):
        return load(value, components)
    if isinstance(value, SavedModelType):
        return value.restored()
    if isinstance(value, dict):
        pairs = cast("dict[object, object]", value)
        return {key: _read(item, components) for key, item in pairs.items()}
    if type(value) in {list, tuple}:
        items = [_read(item, components) for item in cast("Sequence[object]", value)]
        return tuple(items) if type(value) is tuple else items
    return value
