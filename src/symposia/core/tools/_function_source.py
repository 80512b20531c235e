"""Functions as text, with the imports that they need, so that a tool made of one can be saved and loaded."""

from __future__ import annotations

import ast
import builtins
import inspect
import symtable
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import cast

from symposia.core._component import our_module, saved_module
from symposia.core.code_executor import Alias, Import, ImportFromModule
from symposia.core.exceptions import ComponentError
from symposia.core.tools._signature import AnyFunction


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionSource:
    """A function as text.

    Attributes:
        code: Its definition, decorators included.
        imports: What has to be imported for it to work.
    """

    code: str
    imports: tuple[Import, ...]


def read_source(func: AnyFunction, tool: str, imports: Sequence[Import]) -> FunctionSource:
    """The text of a function, with `imports` and those of whatever else it uses of its module.

    Raises:
        ComponentError: It cannot be made again from text; the text of the error says why.
    """
    if not isinstance(func, FunctionType):
        raise _unsavable(tool, "it is not a plain function")
    if enclosed := func.__code__.co_freevars:
        raise _unsavable(tool, f"it uses variables of the function that it is in: {', '.join(enclosed)}")
    code = _text(func, tool)
    imported = {name for each in imports for name in _bound_by(each)}
    missing = sorted(_names_needed(code) - imported - {func.__name__} - set(dir(builtins)))
    return FunctionSource(code=code, imports=(*imports, *(_import_of(name, func, tool) for name in missing)))


def make_function(source: FunctionSource, tool: str) -> AnyFunction:
    """The function that a text defines. This runs the text: it has to be trusted.

    Raises:
        ComponentError: The text defines no function, or fails.
    """
    text = "\n".join([*(_statement(each, our_module) for each in source.imports), source.code])
    namespace: dict[str, object] = {"__name__": "symposia_tool"}
    # The name of the module is one that no module has, so that the function does not pass for one of the program's.
    try:
        statements = ast.parse(source.code).body
        exec(compile(text, f"<tool {tool}>", "exec"), namespace)  # noqa: S102 - what `trust_code` is for
    except Exception as error:
        raise _unloadable(tool, f"its source_code fails: {error!r}") from error
    defined = [each.name for each in statements if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]
    if not defined:
        raise _unloadable(tool, "its source_code defines no function")
    return cast("AnyFunction", namespace[defined[-1]])


def _text(func: FunctionType, tool: str) -> str:
    try:
        code = textwrap.dedent(inspect.getsource(func))
        statement = ast.parse(code).body[0]
    except (OSError, TypeError, SyntaxError) as error:
        raise _unsavable(tool, "its source cannot be read") from error
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return code
    raise _unsavable(tool, "it is not defined by `def`")


def _names_needed(code: str) -> set[str]:
    """The names that a definition takes from around it."""
    return set(_taken_from_outside(symtable.symtable(code, "<tool>", "exec")))


def _taken_from_outside(table: symtable.SymbolTable) -> Iterator[str]:
    is_top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (is_top or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _taken_from_outside(inner)


def _import_of(name: str, func: FunctionType, tool: str) -> Import:
    """How a name that the function uses is imported elsewhere: from where it comes, else from the function's module."""
    value = func.__globals__.get(name)
    if isinstance(value, ModuleType):
        return value.__name__ if value.__name__ == name else Alias(value.__name__, name)
    # First the module that defines the value, since the function's own module may be a script that cannot be imported
    # where the JSON is loaded.
    for module, original in ((_home(value), getattr(value, "__name__", name)), (func.__module__, name)):
        exported = getattr(sys.modules.get(module), original, None)
        if module != "__main__" and name in func.__globals__ and exported is value:
            source = saved_module(module, original)
            return ImportFromModule(source, [original if original == name else Alias(original, name)])
    raise _unsavable(tool, f"it uses {name!r}, which cannot be imported. Import it inside the function")


def _home(value: object) -> str:
    home = getattr(value, "__module__", None)
    return home if isinstance(home, str) else ""


def _bound_by(each: Import) -> Iterator[str]:
    if isinstance(each, str):
        yield each.partition(".")[0]
    elif isinstance(each, Alias):
        yield each.alias
    else:
        yield from (item if isinstance(item, str) else item.alias for item in each.imports)


def import_statements(imports: Sequence[Import]) -> str:
    """The statements of imports, as they are: nothing is imported from here."""
    return "\n".join(_statement(each, str) for each in imports)


def _statement(each: Import, module_for: Callable[[str], str]) -> str:
    """The statement of an import.

    Args:
        each: The import.
        module_for: The module to import for a name, such as ours for AutoGen's.
    """
    if isinstance(each, str):
        found, root = module_for(each), each.partition(".")[0]
        return f"import {each}" if found == each else f"import {found}\nimport {module_for(root)} as {root}"
    if isinstance(each, Alias):
        return f"import {module_for(each.name)} as {each.alias}"
    items = [item if isinstance(item, str) else f"{item.name} as {item.alias}" for item in each.imports]
    return f"from {module_for(each.module)} import {', '.join(items)}"


def _unsavable(tool: str, why: str) -> ComponentError:
    return ComponentError(f"FunctionTool.func of the tool {tool!r} cannot be saved as source: {why}.")


def _unloadable(tool: str, why: str) -> ComponentError:
    return ComponentError(f"The tool {tool!r} cannot be made from its source: {why}.")
