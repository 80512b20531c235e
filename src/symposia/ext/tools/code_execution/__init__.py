"""A tool with which a model runs Python, in any code executor."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.tools.code_execution._tool import CodeExecutionInput, CodeExecutionResult, PythonCodeExecutionTool

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["CodeExecutionInput", "CodeExecutionResult", "PythonCodeExecutionTool"]
