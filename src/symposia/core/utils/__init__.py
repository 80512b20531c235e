"""Small tools for JSON and JSON schemas."""

from symposia.core.utils._extract_json import extract_json_from_str
from symposia.core.utils._schema_to_model import schema_to_pydantic_model

__all__ = ["extract_json_from_str", "schema_to_pydantic_model"]
