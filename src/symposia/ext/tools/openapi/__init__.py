"""Tools made of the operations of an OpenAPI document."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.tools.openapi._tool import OpenApiTool, openapi_tools

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["OpenApiTool", "openapi_tools"]
