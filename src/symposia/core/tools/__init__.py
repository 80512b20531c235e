"""The contracts of tools and workbenches, tools made of functions, and the calls of tools as effects."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.core.tools._approved_workbench import ApprovedWorkbench, ToolApprovalRequest
    from symposia.core.tools._arguments import parse_tool_arguments
    from symposia.core.tools._base_tool import BaseStreamTool, BaseTool, BaseToolWithState, prepare_tools
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
    from symposia.core.tools._parameters_schema import parameters_schema
    from symposia.core.tools._sandboxed import FunctionSandbox, run_component_code_in
    from symposia.core.tools._static_workbench import StaticStreamWorkbench, StaticWorkbench, ToolOverride
    from symposia.core.tools._tool import (
        ParametersSchema,
        StreamTool,
        Tool,
        ToolSchema,
        ToolTraits,
        is_portable_tool_name,
    )
    from symposia.core.tools._workbench import (
        ImageResultContent,
        StreamWorkbench,
        TextResultContent,
        ToolResult,
        Workbench,
        failed_result,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_arguments": ["parse_tool_arguments"],
            "_base_tool": ["BaseStreamTool", "BaseTool", "BaseToolWithState", "prepare_tools"],
            "_effect": [
                "TOOL_EFFECT",
                "TOOL_LIST_EFFECT",
                "ToolListRequest",
                "ToolRequest",
                "call_tool",
                "list_tools",
                "stream_tool",
            ],
            "_function_tool": ["FunctionTool"],
            "_parameters_schema": ["parameters_schema"],
            "_sandboxed": ["FunctionSandbox", "run_component_code_in"],
            "_approved_workbench": ["ApprovedWorkbench", "ToolApprovalRequest"],
            "_static_workbench": ["StaticStreamWorkbench", "StaticWorkbench", "ToolOverride"],
            "_tool": ["ParametersSchema", "StreamTool", "Tool", "ToolSchema", "ToolTraits", "is_portable_tool_name"],
            "_workbench": [
                "ImageResultContent",
                "StreamWorkbench",
                "TextResultContent",
                "ToolResult",
                "Workbench",
                "failed_result",
            ],
        },
    )

__all__ = [
    "TOOL_EFFECT",
    "TOOL_LIST_EFFECT",
    "ApprovedWorkbench",
    "BaseStreamTool",
    "BaseTool",
    "BaseToolWithState",
    "FunctionSandbox",
    "FunctionTool",
    "ImageResultContent",
    "ParametersSchema",
    "StaticStreamWorkbench",
    "StaticWorkbench",
    "StreamTool",
    "StreamWorkbench",
    "TextResultContent",
    "Tool",
    "ToolApprovalRequest",
    "ToolListRequest",
    "ToolOverride",
    "ToolRequest",
    "ToolResult",
    "ToolSchema",
    "ToolTraits",
    "Workbench",
    "call_tool",
    "failed_result",
    "is_portable_tool_name",
    "list_tools",
    "parameters_schema",
    "parse_tool_arguments",
    "prepare_tools",
    "run_component_code_in",
    "stream_tool",
]
