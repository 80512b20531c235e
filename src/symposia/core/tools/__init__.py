"""What a tool is, tools made of functions, and workbenches that hold tools."""

from symposia.core.tools._base import BaseStreamTool, BaseTool, BaseToolWithState
from symposia.core.tools._effect import TOOL_EFFECT, ToolRequest, call_tool, stream_tool
from symposia.core.tools._function_tool import FunctionTool
from symposia.core.tools._override import ToolOverride
from symposia.core.tools._protocol import StreamTool, Tool
from symposia.core.tools._result import ImageResultContent, TextResultContent, ToolResult
from symposia.core.tools._schema import ParametersSchema, ToolSchema, ToolTraits
from symposia.core.tools._static_workbench import StaticStreamWorkbench, StaticWorkbench
from symposia.core.tools._workbench import Workbench

__all__ = [
    "TOOL_EFFECT",
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
    "ToolRequest",
    "ToolResult",
    "ToolSchema",
    "ToolTraits",
    "Workbench",
    "call_tool",
    "stream_tool",
]
