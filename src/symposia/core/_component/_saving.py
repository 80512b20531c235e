"""Saving components: the arguments of a constructor as a configuration, and a configuration as JSON.

What cannot be written is an error when it is saved, and names its place, because the one who loads it later cannot
repair it. So a derived configuration is read back before it is given out (`json_of`), secrets are masked by the name
and by the type of a parameter, and an argument that no field takes is refused and not left out.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from symposia.core._component._constructor import constructor_of
from symposia.core._component._schema import (
    ComponentModel,
    DerivedConfig,
    SavedModelType,
    component_types_of,
    config_schema_of,
    describe,
    secrets_of,
)
from symposia.core.exceptions import ComponentError, SymposiaError

_PLAIN: Final = (str, int, float, list, dict, BaseModel, type(None))

MASK: Final = "**********"
"""The replacement of a secret, as pydantic writes a `SecretStr`."""


def config_of(instance: object, values: Mapping[str, object]) -> BaseModel:
    """The configuration of an instance.

    Args:
        instance: A component.
        values: The arguments of its constructor, by name.

    Raises:
        ComponentError: A value cannot be saved; the text names the class and the argument.
    """
    cls = type(instance)
    values = _without_transient(cls, values)
    schema: type[BaseModel] = getattr(cls, "component_config_schema", None) or config_schema_of(cls)
    _refuse_unknown(cls, schema, values)
    secrets, components = secrets_of(cls), component_types_of(cls)
    written: dict[str, object] = {}
    for name, value in values.items():
        masked = name in secrets and value is not None
        written[name] = MASK if masked else _written(value, f"{cls.__name__}.{name}", components.get(name, (object,)))
    try:
        return schema.model_validate(written)
    except ValidationError as error:
        raise ComponentError(f"{cls.__name__} cannot be saved: {explain(error, is_saved=True)}.") from error


def json_of(cls: type, config: BaseModel) -> dict[str, object]:
    """A configuration as JSON. A derived one is read back, to make sure that nothing of it is lost.

    Raises:
        ComponentError: A field does not come back as it was; the text names the class and the field.
    """
    if not isinstance(config, DerivedConfig):
        return config.model_dump(mode="json", exclude_none=True)
    written = _derived_json(cls, config)
    again = _derived_json(cls, type(config).model_validate(written))
    for name, value in written.items():
        if again.get(name) != value:
            raise ComponentError(
                f"{cls.__name__}.{name} cannot be saved: it would not come back as it is. Give it a plain value, or "
                f"let {cls.__name__} write _to_config and _from_config."
            )
    return written


def explain(error: ValidationError, *, is_saved: bool = False) -> str:
    """The faults of the fields of a configuration."""
    lines: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        name = str(fault["loc"][0]) if fault["loc"] else ""
        what = fault["msg"]
        if is_saved and not isinstance(fault["input"], _PLAIN):
            what = f"{describe(fault['input'])} has no form in JSON{_remedy(fault['input'])}"
        if fault["type"] == "extra_forbidden":
            what = "there is no such field"
        if fault["type"] == "unexpected_keyword_argument":  # of a dataclass, such as a policy
            what = f"there is no field {fault['loc'][-1]!r}"
        lines.setdefault(name, f"{name}: {what}" if name else what)
    return "; ".join(lines.values())


def _remedy(value: object) -> str:
    """How an object gets a form in JSON, if it is one of a program's own class."""
    if callable(value) or type(value).__module__.partition(".")[0] in {"builtins", "symposia"}:
        return ""
    return f" (derive {type(value).__name__} from Component too)"


def _without_transient(cls: type, values: Mapping[str, object]) -> dict[str, object]:
    transient: frozenset[str] = getattr(cls, "component_transient", frozenset())
    functions = sorted(name for name in transient if callable(values.get(name)))
    if functions:
        warnings.warn(
            f"{cls.__name__} is saved without {', '.join(functions)}: JSON cannot hold a function. Loading gives the "
            "default in its place.",
            stacklevel=2,
        )
    return {name: value for name, value in values.items() if name not in transient}


def _refuse_unknown(cls: type, schema: type[BaseModel], values: Mapping[str, object]) -> None:
    """Check that a schema that the class has written itself has a place for every argument."""
    known = {info.alias or name for name, info in schema.model_fields.items()} | schema.model_fields.keys()
    missing = [name for name in values if name not in known]
    if missing and schema.model_config.get("extra") != "allow":
        raise ComponentError(
            f"{cls.__name__} cannot be saved: its component_config_schema has no field for {', '.join(missing)}. "
            "Add it, leave component_config_schema out, or write _to_config."
        )


def _written(value: object, where: str, components: tuple[type, ...]) -> object:
    """A value with its components and classes saved."""
    if hasattr(value, "dump_component") and not isinstance(value, type):
        if not components:
            raise ComponentError(f"{where} holds a component, which its type does not say. Annotate it.")
        return _dumped(value, where)
    if isinstance(value, type):
        return _saved_type(value, where) if issubclass(value, BaseModel) else cast("object", value)
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value)
        return {key: _written(item, f"{where}[{key!r}]", components) for key, item in pairs.items()}
    if type(value) in {list, tuple}:
        items = cast("Sequence[object]", value)
        return [_written(item, f"{where}[{index}]", components) for index, item in enumerate(items)]
    return str(value) if isinstance(value, PurePath) else value


def _dumped(component: Any, where: str) -> ComponentModel:
    try:
        return component.dump_component()
    except SymposiaError as error:
        error.add_note(f"This is {where}.")
        raise


def _saved_type(model: type[BaseModel], where: str) -> SavedModelType:
    try:
        return SavedModelType.of(model)
    except SymposiaError as error:
        raise ComponentError(f"{where} cannot be saved: {error}") from error


def _derived_json(cls: type, config: DerivedConfig) -> dict[str, object]:
    """As JSON, without what is None because nothing was given."""
    arguments = constructor_of(cls).arguments
    written: dict[str, object] = {}
    for field in (*type(config).model_fields, *(config.model_extra or {})):
        written.update(_field_json(cls, config, field))
    return {
        name: value
        for name, value in written.items()
        if value is not None or (name in arguments and arguments[name].default is not None)
    }


def _field_json(cls: type, config: DerivedConfig, field: str) -> dict[str, object]:
    try:
        return config.model_dump(mode="json", serialize_as_any=True, include={field})
    except PydanticSerializationError as error:
        raise ComponentError(f"{cls.__name__}.{field} cannot be saved: {error}.") from error
