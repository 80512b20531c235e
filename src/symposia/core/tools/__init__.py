"""What a tool is, and tools made of functions."""

from ._protocol import StreamTool, Tool
from ._schema import ParametersSchema, ToolSchema

__all__ = ["ParametersSchema", "StreamTool", "Tool", "ToolSchema"]
