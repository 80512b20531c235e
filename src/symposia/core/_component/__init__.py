"""Components: objects that are saved as JSON and loaded from it."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
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
    from symposia.core._component._loading import shared_in_load
    from symposia.core._component._providers import (
        allow_components_from,
        code_is_trusted,
        our_module,
        require_trusted_code,
        saved_module,
        trust_component_code,
    )
    from symposia.core._component._schema import ComponentModel, ComponentType
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_component": [
                "Component",
                "ComponentBase",
                "ComponentFromConfig",
                "ComponentLoader",
                "ComponentSchemaType",
                "ComponentToConfig",
                "is_component_class",
                "is_component_instance",
            ],
            "_loading": ["shared_in_load"],
            "_providers": [
                "allow_components_from",
                "code_is_trusted",
                "our_module",
                "require_trusted_code",
                "saved_module",
                "trust_component_code",
            ],
            "_schema": ["ComponentModel", "ComponentType"],
        },
    )

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
    "code_is_trusted",
    "is_component_class",
    "is_component_instance",
    "our_module",
    "require_trusted_code",
    "saved_module",
    "shared_in_load",
    "trust_component_code",
]
