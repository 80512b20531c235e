"""The arguments of a constructor on their way into a configuration and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final, TypeAlias, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from symposia.core._component._constructor import constructor_of
from symposia.core._component._model import ComponentModel
from symposia.core._component._schema import (
    DerivedConfig,
    SavedModelType,
    component_types_of,
    config_schema_of,
    describe,
    secrets_of,
)
from symposia.core.exceptions import ComponentError, SymposiaError
from symposia.core.utils import schema_to_pydantic_model

_PLAIN: Final = (str, int, float, list, dict, BaseModel, type(None))

MASK: Final = "**********"
"""What stands for a secret; as pydantic writes a `SecretStr`."""

Load: TypeAlias = Callable[[ComponentModel, tuple[type, ...]], object]
"""Makes a component that has to be of one of these types; of any, if there are none."""


def config_of(instance: object, values: Mapping[str, Any]) -> BaseModel:
    """The configuration of an instance.

    Args:
        instance: A component.
        values: The arguments of its constructor, by name.

    Raises:
        ComponentError: A value cannot be saved; the text names the class and the argument.
    """
    cls = type(instance)
    schema: type[BaseModel] = getattr(cls, "component_config_schema", None) or config_schema_of(cls)
    _refuse_unknown(cls, schema, values)
    secrets, components = secrets_of(cls), component_types_of(cls)
    written: dict[str, Any] = {}
    for name, value in values.items():
        masked = name in secrets and value is not None
        written[name] = MASK if masked else _written(value, f"{cls.__name__}.{name}", components.get(name, (object,)))
    try:
        return schema.model_validate(written)
    except ValidationError as error:
        raise ComponentError(f"{cls.__name__} cannot be saved: {explain(error, is_saved=True)}.") from error


def json_of(cls: type, config: BaseModel) -> dict[str, Any]:
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


def construct(cls: type, config: BaseModel, load: Load) -> object:
    """Construct an instance with what a configuration says; what it does not say is left to the constructor."""
    components = component_types_of(cls)
    fields = type(config).model_fields
    names = {field: fields[field].alias or field for field in fields}
    said = [field for field in config.model_fields_set if field in fields]
    values: dict[str, Any] = {names[field]: getattr(config, field) for field in said}
    values.update(config.model_extra or {})
    return constructor_of(cls).call(
        cls, {name: _read(value, components.get(name, ()), load) for name, value in values.items()}
    )


def explain(error: ValidationError, *, is_saved: bool = False) -> str:
    """What is wrong with which field, of what is being saved or loaded."""
    lines: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        name = str(fault["loc"][0]) if fault["loc"] else ""
        what = fault["msg"]
        if is_saved and not isinstance(fault["input"], _PLAIN):
            what = f"{describe(fault['input'])} has no form in JSON"
        if fault["type"] == "extra_forbidden":
            what = "there is no such field"
        lines.setdefault(name, f"{name}: {what}" if name else what)
    return "; ".join(lines.values())


def _refuse_unknown(cls: type, schema: type[BaseModel], values: Mapping[str, Any]) -> None:
    """Check that a schema that the class has written itself has a place for every argument."""
    known = {info.alias or name for name, info in schema.model_fields.items()} | schema.model_fields.keys()
    missing = [name for name in values if name not in known]
    if missing and schema.model_config.get("extra") != "allow":
        raise ComponentError(
            f"{cls.__name__} cannot be saved: its component_config_schema has no field for {', '.join(missing)}. "
            "Add it, leave component_config_schema out, or write _to_config."
        )


def _written(value: Any, where: str, components: tuple[type, ...]) -> Any:
    """A value with its components and classes written down."""
    if hasattr(value, "dump_component") and not isinstance(value, type):
        if not components:
            raise ComponentError(f"{where} holds a component, which its type does not say. Annotate it.")
        return _dumped(value, where)
    if isinstance(value, type):
        return _saved_type(value, where) if issubclass(value, BaseModel) else cast("object", value)
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value)
        return {key: _written(item, f"{where}[{key!r}]", components) for key, item in pairs.items()}
    if type(value) in {list, tuple}:
        items = cast("Sequence[Any]", value)
        return [_written(item, f"{where}[{index}]", components) for index, item in enumerate(items)]
    return str(value) if isinstance(value, PurePath) else value


def _dumped(component: Any, where: str) -> ComponentModel:
    try:
        return component.dump_component()
    except SymposiaError as error:
        error.add_note(f"This is {where}.")
        raise


def _saved_type(model: type[BaseModel], where: str) -> SavedModelType:
    """Write down a model class as its schema, if the schema says all of it.

    Raises:
        ComponentError: It does not.
    """
    schema = model.model_json_schema()
    try:
        same = schema_to_pydantic_model(schema, model.__name__).model_json_schema() == schema
    except SymposiaError:
        same = False
    if not same:
        raise ComponentError(f"{where} cannot be saved: the JSON schema of {model.__name__} does not say all of it.")
    return SavedModelType(json_schema=schema)


def _read(value: Any, components: tuple[type, ...], load: Load) -> Any:
    """A value with its components and classes made again."""
    if isinstance(value, ComponentModel):
        return load(value, components)
    if isinstance(value, SavedModelType):
        return schema_to_pydantic_model(value.json_schema, value.json_schema.get("title") or "GeneratedModel")
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value)
        return {key: _read(item, components, load) for key, item in items.items()}
    if type(value) in {list, tuple}:
        return type(value)(_read(item, components, load) for item in value)
    return value


def _derived_json(cls: type, config: DerivedConfig) -> dict[str, Any]:
    """As JSON, without what is None because nothing was given."""
    arguments = constructor_of(cls).arguments
    written: dict[str, Any] = {}
    for field in (*type(config).model_fields, *(config.model_extra or {})):
        written.update(_field_json(cls, config, field))
    return {
        name: value
        for name, value in written.items()
        if value is not None or (name in arguments and arguments[name].default is not None)
    }


def _field_json(cls: type, config: DerivedConfig, field: str) -> dict[str, Any]:
    try:
        return config.model_dump(mode="json", serialize_as_any=True, include={field})
    except PydanticSerializationError as error:
        raise ComponentError(f"{cls.__name__}.{field} cannot be saved: {error}.") from error
