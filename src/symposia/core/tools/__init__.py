"""What a tool is, tools made of functions, and workbenches that hold tools."""

from ._base import BaseStreamTool, BaseTool, BaseToolWithState
from ._function_tool import FunctionTool
from ._override import ToolOverride
from ._protocol import StreamTool, Tool
from ._result import ImageResultContent, TextResultContent, ToolResult
from ._schema import ParametersSchema, ToolSchema
from ._static_workbench import StaticStreamWorkbench, StaticWorkbench
from ._workbench import Workbench

__all__ = [
    "BaseStreamTool",
    "BaseTool",
    "BaseToolWithState",
    "FunctionTool",
    "ImageResultContent",
    "ParametersSchema",
    "StaticStreamWorkbench",
    "StaticWorkbench",
    "StreamTool",
    "TextResultContent",
    "Tool",
    "ToolOverride",
    "ToolResult",
    "ToolSchema",
    "Workbench",
]
