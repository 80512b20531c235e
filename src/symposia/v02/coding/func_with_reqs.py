"""Functions of the user that generated code may call, with what they need."""

from __future__ import annotations

import ast

from symposia.core.code_executor import (
    Alias,
    FunctionWithRequirements,
    FunctionWithRequirementsStr,
    Import,
    ImportFromModule,
    UserFunction,
    function_node,
    function_source,
    with_requirements,
)

__all__ = [
    "Alias",
    "FunctionWithRequirements",
    "FunctionWithRequirementsStr",
    "Import",
    "ImportFromModule",
    "to_stub",
    "with_requirements",
]


def to_stub(func: UserFunction) -> str:
    """The signature of a function with its docstring, for a model.

    Raises:
        InvalidArgumentError: Its source cannot be read.
    """
    node = function_node(function_source(func))
    kept = node.body[:1] if ast.get_docstring(node) is not None else []
    node.body = [*kept, ast.Expr(ast.Constant(...))]
    node.decorator_list = []
    return ast.unparse(node)
