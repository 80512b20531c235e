"""The module of the user's functions that generated code imports, and its description for a model."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Sequence
from string import Template
from typing import Final

from symposia.core.code_executor import (
    Alias,
    FunctionWithRequirements,
    FunctionWithRequirementsStr,
    Import,
    ImportFromModule,
    UserFunction,
    distribution_name,
    function_node,
    function_source,
)
from symposia.core.exceptions import InvalidArgumentError

PROMPT: Final = (
    "The module `$module_name` defines these functions for your code. Import those that you use, as in "
    "`from $module_name import NAME`.\n\n$functions"
)


def checked_module_name(name: str) -> str:
    """Check that a name can be imported."""
    if not name.isidentifier():
        raise InvalidArgumentError(f"Module name must be a valid Python identifier. It is {name!r}.")
    return name


def missing_packages(functions: Sequence[UserFunction], available: Collection[str]) -> list[str]:
    """The packages that functions need and that are not in `available`, by their normalised names."""
    needed = {distribution_name(package) for function in functions for package in _packages(function)}
    return sorted(needed - {distribution_name(name) for name in available}) if needed else []


def refuse_missing_packages(functions: Sequence[UserFunction], available: Collection[str]) -> None:
    """Refuse functions whose packages a sandbox lacks: without a network, nothing can be installed in it.

    Raises:
        InvalidArgumentError: A package is not in `available`.
    """
    if missing := missing_packages(functions, available):
        raise InvalidArgumentError(
            f"functions need {', '.join(missing)}, which the sandbox's Python does not have and cannot install, as it "
            f"has no network. Allow what is to be installed ahead, with packages={missing!r}, or use "
            "DockerCommandLineCodeExecutor with an image of your own that has it."
        )


def requirements_met_by(names: Collection[str], functions: Sequence[UserFunction]) -> list[str]:
    """The requirements of functions on packages of these names, with the versions that the functions need."""
    requirements = (package for function in functions for package in _packages(function))
    return [package for package in requirements if distribution_name(package) in names]


def module_source(functions: Sequence[UserFunction]) -> str:
    """The source of the module. Reads the files that define the functions.

    Raises:
        InvalidArgumentError: A function's source cannot be read, or two have the same name.
    """
    sources = _sources(functions)
    imports = sorted({_import_line(wanted) for function in functions for wanted in _imports(function)})
    return "\n".join(imports) + "\n\n\n" + "\n\n\n".join(sources) + "\n"


def prompt(functions: Sequence[UserFunction], module_name: str, template: str) -> str:
    """Describe the functions to a model: their signatures and docstrings. Reads the files that define them."""
    stubs = "\n\n".join(_stub(source) for source in _sources(functions))
    return Template(template).safe_substitute(module_name=module_name, functions=stubs)


def _sources(functions: Iterable[UserFunction]) -> list[str]:
    sources = {source: function_node(source).name for source in map(function_source, functions)}
    names = list(sources.values())
    for name in names:
        if names.count(name) > 1:
            raise InvalidArgumentError(f"Two functions are named {name!r}; a module can hold only one of them.")
    return list(sources)


def _stub(source: str) -> str:
    node = function_node(source)
    keeps = node.body[:1] if ast.get_docstring(node) is not None else []
    node.body = [*keeps, ast.Expr(ast.Constant(...))]
    node.decorator_list = []
    return ast.unparse(node)


def _import_line(wanted: Import) -> str:
    if isinstance(wanted, ImportFromModule):
        return f"from {wanted.module} import {', '.join(map(_imported, wanted.imports))}"
    return f"import {_imported(wanted)}"


def _imported(name: str | Alias) -> str:
    return f"{name.name} as {name.alias}" if isinstance(name, Alias) else name


def _imports(function: UserFunction) -> Sequence[Import]:
    if isinstance(function, (FunctionWithRequirements, FunctionWithRequirementsStr)):
        return function.global_imports
    return ()


def _packages(function: UserFunction) -> Sequence[str]:
    if isinstance(function, (FunctionWithRequirements, FunctionWithRequirementsStr)):
        return function.python_packages
    return ()
