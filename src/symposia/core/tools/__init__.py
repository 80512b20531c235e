"""What a tool is, tools made of functions, and workbenches that hold tools."""

from symposia.core.tools._arguments import parse_tool_arguments
from symposia.core.tools._base_tool import BaseStreamTool, BaseTool, BaseToolWithState
from symposia.core.tools._effect import (
    TOOL_EFFECT,
    TOOL_LIST_EFFECT,
    ToolListRequest,
    ToolRequest,
    call_tool,
    list_tools,
    stream_tool,
)
from symposia.core.tools._function_tool import FunctionTool
from symposia.core.tools._static_workbench import StaticStreamWorkbench, StaticWorkbench, ToolOverride
from symposia.core.tools._tool import ParametersSchema, StreamTool, Tool, ToolSchema, ToolTraits
from symposia.core.tools._workbench import ImageResultContent, TextResultContent, ToolResult, Workbench

__all__ = [
    "TOOL_EFFECT",
    "TOOL_LIST_EFFECT",
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
    "ToolListRequest",
    "ToolOverride",
    "ToolRequest",
    "ToolResult",
    "ToolSchema",
    "ToolTraits",
    "Workbench",
    "call_tool",
    "list_tools",
    "parse_tool_arguments",
    "stream_tool",
]
