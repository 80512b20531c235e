"""A tool that is an HTTP endpoint."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.tools.http._http_tool import HttpTool

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["HttpTool"]
