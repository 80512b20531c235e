"""Which names a text binds, so that an import can be renamed with all its uses, and a new one takes no other's name.

Read from Python's own tree, which takes a tenth of the time of libcst's.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from symposia.migration._syntax import python_tree


def binding_counts(code: bytes) -> Counter[str]:
    """How often a text binds each name: by assignments, parameters, declarations, functions, classes, ``as``.

    Raises:
        SyntaxError: It is no Python.
    """
    return Counter(name for node in ast.walk(python_tree(code)) for name in _bound(node))


def imported_names(code: bytes) -> Iterator[tuple[str, str]]:
    """The names that a text imports anywhere, each with the dotted name of what it stands for.

    Raises:
        SyntaxError: It is no Python.
    """
    for node in ast.walk(python_tree(code)):
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    root = alias.name.partition(".")[0]
                    yield (alias.asname, alias.name) if alias.asname else (root, root)
            case ast.ImportFrom(module=module, names=aliases):
                for alias in aliases:
                    yield alias.asname or alias.name, f"{module}.{alias.name}"
            case _:
                pass


def _bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            yield name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield from names
        case _:
            pass
