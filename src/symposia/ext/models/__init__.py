"""Clients of models: `from_name` makes one from the name of a model.

There is one package a vendor, one that replays a script, and `vendors` for what a new one is made of.
"""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.ext.models._names import (
        MissingKeyError,
        ModelNameError,
        UnknownVendorError,
        default_model_name,
        from_name,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {"_names": ["MissingKeyError", "ModelNameError", "UnknownVendorError", "default_model_name", "from_name"]},
    )

__all__ = ["MissingKeyError", "ModelNameError", "UnknownVendorError", "default_model_name", "from_name"]
