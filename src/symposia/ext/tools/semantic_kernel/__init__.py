"""Tools as functions of Semantic Kernel."""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.ext.tools.semantic_kernel._kernel_function_from_tool import (
        KernelFunctionFromTool,
        KernelFunctionFromToolSchema,
    )
else:
    # Late, since these are classes of Semantic Kernel's classes, which are heavy.
    __getattr__, __dir__ = lazy_names(
        __name__, {"_kernel_function_from_tool": ["KernelFunctionFromTool", "KernelFunctionFromToolSchema"]}
    )

__all__ = ["KernelFunctionFromTool", "KernelFunctionFromToolSchema"]
