"""Tools for agents."""

from symposia.core.tools import FunctionTool

__all__ = ["FunctionTool"]
