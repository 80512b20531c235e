"""Small tools for JSON and JSON schemas."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.core.utils._extract_json import extract_json_from_str
    from symposia.core.utils._schema_to_model import schema_to_pydantic_model
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_extract_json": ["extract_json_from_str"],
            "_schema_to_model": ["schema_to_pydantic_model"],
        },
    )

__all__ = ["extract_json_from_str", "schema_to_pydantic_model"]
