"""Components: objects that are saved as JSON and loaded from it.

A class writes its configuration once, as its constructor::

    class Greeter(Component):
        component_type = "greeter"

        def __init__(self, words: str, client: ChatCompletionClient, loud: bool = False) -> None: ...

The parameters, their annotations and their defaults make the configuration; components among the arguments are saved
with it. What an instance was given is recorded when it is made, in `__new__`. That was chosen over

- reading it back from attributes by a rule (``self._words`` for ``words``): constructors name, change and consume what
  they are given, so the rule would be broken silently, and what changes later would be taken for configuration;
- wrapping `__init__` of each class: `__new__` is called once for each instance, with what the caller gave to the
  outermost class, whatever its `__init__` passes on. It adds no frame to tracebacks, leaves ``stacklevel`` alone, and
  works for dataclasses, whose `__init__` comes after the class.

Lists and dicts among the arguments are copied, so that what is done to them later is not configuration either; the rest
is kept by reference. It costs about a microsecond an instance.

The longer form of AutoGen works as well and wins: a class that sets `component_config_schema` and writes `_to_config`
and `_from_config` decides for itself.

What saves and loads is imported when the first component is saved or loaded, which most programs never do.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeGuard, cast, overload

from pydantic import BaseModel
from typing_extensions import TypeVar

from symposia._lazy import lazy_module
from symposia.core._component._constructor import RecordsArguments, given_arguments
from symposia.core.exceptions import ComponentError

if TYPE_CHECKING:
    from symposia.core._component import _schema as schema
else:
    schema = lazy_module("symposia.core._component._schema")

ConfigT = TypeVar("ConfigT", bound=BaseModel, default=Any)  # Any: a subclass may say which
ExpectedT = TypeVar("ExpectedT")


class ComponentToConfig(RecordsArguments, Generic[ConfigT]):
    """The half of a component that saves it.

    Attributes:
        component_type: Its kind, such as ``agent``.
        component_version: Of its configuration; to be raised when that changes so that older ones do not load.
        component_provider_override: A name to be found by other than that of its class.
        component_description: For people; by default the first paragraph of the docstring.
        component_label: Its name, for people; by default that of the class.
        component_secrets: The parameters that are not saved; the values of `SecretStr` never are.
        component_transient: The parameters that belong to one process, such as a runtime or a callback. They are left
            out of what is saved, functions with a `UserWarning`.
    """

    component_type: ClassVar[schema.ComponentType]
    component_version: ClassVar[int] = 1
    component_provider_override: ClassVar[str | None] = None
    component_description: ClassVar[str | None] = None
    component_label: ClassVar[str | None] = None
    component_secrets: ClassVar[frozenset[str]] = frozenset({"api_key"})
    component_transient: ClassVar[frozenset[str]] = frozenset()

    def _to_config(self) -> ConfigT:
        """The configuration: by default, the arguments of the constructor.

        Raises:
            ComponentError: An argument cannot be saved; the text names the class and the argument.
        """
        return cast("ConfigT", self._derived_config())

    def _derived_config(self, **instead: object) -> BaseModel:
        """The configuration of the arguments that the instance was constructed with, some of them replaced.

        Raises:
            ComponentError: An argument cannot be saved; the text names the class and the argument.
        """
        from symposia.core._component._saving import config_of  # noqa: PLC0415 - most programs never need it

        return config_of(
            self, {name: instead.get(name, value) for name, value in self._constructor_arguments().items()}
        )

    def _constructor_arguments(self) -> dict[str, Any]:  # Any: each is of its parameter's type
        """The arguments of the constructor, by name; defaults included."""
        return given_arguments(self)

    def dump_component(self) -> schema.ComponentModel:
        """Save the component as JSON. A secret is replaced by asterisks.

        Raises:
            ComponentError: Something of it cannot be saved; the text names the class and the field.
        """
        from symposia.core._component._providers import is_autogens, provider_of  # noqa: PLC0415 - most programs never need it
        from symposia.core._component._saving import json_of  # noqa: PLC0415 - most programs never need it
        from symposia.core._component._schema import ComponentModel  # noqa: PLC0415 - most programs never need it

        cls = self._saved_class()
        provider = cls.component_provider_override or provider_of(cls)
        config = json_of(cls, self._to_config())
        return ComponentModel(
            provider=provider,
            component_type=getattr(cls, "component_type", None),
            version=cls.component_version,
            component_version=cls.component_version,
            description=cls.component_description or _first_paragraph(cls),
            label=cls.component_label or cls.__name__,
            config=dict(self._to_autogen(config)) if is_autogens(provider) else config,
        )

    @classmethod
    def _saved_class(cls) -> type[ComponentToConfig[Any]]:
        """The class that the JSON names, from which the component is loaded again: its own, by default."""
        return cls

    @classmethod
    def _to_autogen(cls, config: Mapping[str, object]) -> Mapping[str, object]:
        """The configuration as AutoGen's class of the same name takes it: the same, by default."""
        return config


class ComponentFromConfig(Generic[ConfigT]):
    """The half of a component that is loaded from a configuration."""

    @classmethod
    def _from_config(cls, config: ConfigT) -> Self:
        """Make an instance: by default, by calling the constructor with the values of `config`.

        Raises:
            ComponentError: A component in it cannot be loaded.
        """
        from symposia.core._component._loading import construct  # noqa: PLC0415 - most programs never need it

        return cast("Self", construct(cls, config))

    @classmethod
    def _from_config_past_version(cls, config: dict[str, Any], version: int) -> Self:  # noqa: ARG003 - for overriding
        """Make an instance from a configuration of an earlier version.

        Args:
            config: As it was saved.
            version: The `component_version` that it was saved at.

        Raises:
            ComponentError: The class does not know how.
        """
        raise ComponentError(
            f"{cls.__name__} cannot be made from version {version} of its configuration. Save it again, or write "
            f"{cls.__name__}._from_config_past_version."
        )

    @classmethod
    def _from_autogen(cls, config: Mapping[str, object]) -> Mapping[str, object]:
        """The arguments of the constructor from a configuration that AutoGen has saved: the same, by default."""
        return config


class _DerivedSchema:
    """The configuration schema of a class that sets none: derived from its constructor when it is first asked for."""

    def __get__(self, instance: object, owner: type) -> type[BaseModel]:
        from symposia.core._component._schema import config_schema_of  # noqa: PLC0415 - most programs never need it

        return config_schema_of(owner)


class ComponentSchemaType(Generic[ConfigT]):
    """Defines the schema of a component's configuration.

    Attributes:
        component_config_schema: A pydantic model; by default derived from the constructor.
    """

    if TYPE_CHECKING:
        component_config_schema: type[ConfigT]
    else:
        component_config_schema = _DerivedSchema()


class ComponentLoader:
    """Loads components: of any kind when called on `ComponentLoader` itself, else of the class it is called on.

    Attributes:
        component_trusted_by_name: Whether a program that asks for this very class, and for no base class of it, lets
            its code run in this process, as `trust_code` does. So with a class whose purpose that is.
    """

    component_trusted_by_name: ClassVar[bool] = False

    @overload
    @classmethod
    def load_component(
        cls,
        model: schema.ComponentModel | Mapping[str, object],
        expected: None = None,
        *,
        allow: Iterable[str] = (),
        trust_code: bool = False,
    ) -> Self: ...
    @overload
    @classmethod
    def load_component(
        cls,
        model: schema.ComponentModel | Mapping[str, object],
        expected: type[ExpectedT],
        *,
        allow: Iterable[str] = (),
        trust_code: bool = False,
    ) -> ExpectedT: ...
    @classmethod
    def load_component(
        cls,
        model: schema.ComponentModel | Mapping[str, object],
        expected: type[ExpectedT] | None = None,
        *,
        allow: Iterable[str] = (),
        trust_code: bool = False,
    ) -> Self | ExpectedT:
        """Make a component from a configuration that was saved by this project or by AutoGen.

        Args:
            model: A saved component. It is not changed.
            expected: The required class; by default, the class that this is called on. `Component` allows any.
            allow: Packages, beside this project, whose components may be loaded; see `allow_components_from`.
            trust_code: Whether code in it runs in this process and not in a sandbox; see `trust_component_code`.

        Raises:
            ComponentError: It cannot be loaded; the text names the provider and says what to do.
            MissingExtraError: It needs an optional dependency.
        """
        from symposia.core._component._loading import load_from  # noqa: PLC0415 - most programs never need it

        wanted = expected or cls
        kinds = () if wanted in _ANY else (wanted,)
        trust_code = trust_code or getattr(wanted, "component_trusted_by_name", False)
        return load_from(model, kinds, asked_for=wanted, allow=allow, trust_code=trust_code)


class ComponentBase(
    ComponentToConfig[ConfigT],
    ComponentLoader,
    ComponentFromConfig[ConfigT],
    ComponentSchemaType[ConfigT],
    Generic[ConfigT],
):
    """The base of abstract components; `Component` under another name."""


class Component(
    ComponentToConfig[ConfigT],
    ComponentLoader,
    ComponentFromConfig[ConfigT],
    ComponentSchemaType[ConfigT],
    Generic[ConfigT],
):
    """An object that is saved as JSON and loaded from it: what its constructor takes is its configuration."""


_ANY = (ComponentLoader, ComponentBase, Component)


def is_component_class(cls: type) -> TypeGuard[type[Component]]:
    """Whether the instances of a class can be saved and loaded: the class has all four parts of a component."""
    parts = (ComponentFromConfig, ComponentToConfig, ComponentSchemaType, ComponentLoader)
    return all(issubclass(cls, part) for part in parts)


def is_component_instance(cls: object) -> TypeGuard[Component]:
    """Whether an object can be saved and loaded."""
    return is_component_class(type(cls))


def _first_paragraph(cls: type) -> str | None:
    return inspect.cleandoc(cls.__doc__).split("\n\n")[0] if cls.__doc__ else None
