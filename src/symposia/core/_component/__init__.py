"""Objects that can be written down as JSON and made again."""

from symposia.core._component._component import (
    Component,
    ComponentBase,
    ComponentFromConfig,
    ComponentLoader,
    ComponentSchemaType,
    ComponentToConfig,
    is_component_class,
    is_component_instance,
)
from symposia.core._component._model import ComponentModel, ComponentType
from symposia.core._component._trust import allow_components_from, require_trusted_code, trust_component_code
from symposia.core._component._values import config_of

__all__ = [
    "Component",
    "ComponentBase",
    "ComponentFromConfig",
    "ComponentLoader",
    "ComponentModel",
    "ComponentSchemaType",
    "ComponentToConfig",
    "ComponentType",
    "allow_components_from",
    "config_of",
    "is_component_class",
    "is_component_instance",
    "require_trusted_code",
    "trust_component_code",
]
