"""Tools for agents."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.core.tools import FunctionTool

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["FunctionTool"]
