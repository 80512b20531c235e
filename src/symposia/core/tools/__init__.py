"""What a tool is, tools made of functions, and workbenches that hold tools."""

from symposia.core.tools._base import BaseStreamTool, BaseTool, BaseToolWithState
from symposia.core.tools._function_tool import FunctionTool
from symposia.core.tools._override import ToolOverride
from symposia.core.tools._protocol import StreamTool, Tool
from symposia.core.tools._result import ImageResultContent, TextResultContent, ToolResult
from symposia.core.tools._schema import ParametersSchema, ToolSchema
from symposia.core.tools._static_workbench import StaticStreamWorkbench, StaticWorkbench
from symposia.core.tools._workbench import Workbench

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
