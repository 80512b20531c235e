"""The registry of model vendors. `find_vendor` reads ``vendor/model``; `register_vendor` adds one."""

from symposia.ext.models._registry import (
    ModelVendor,
    default_vendor,
    find_vendor,
    model_vendors,
    register_vendor,
    unregister_vendor,
)

__all__ = [
    "ModelVendor",
    "default_vendor",
    "find_vendor",
    "model_vendors",
    "register_vendor",
    "unregister_vendor",
]
