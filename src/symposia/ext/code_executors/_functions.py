"""The module of the user's functions that generated code imports, and its description for a model."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Collection, Iterable, Sequence
from keyword import iskeyword
from string import Template
from typing import Final

from symposia.core.argument_checks import check_list
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


class UserFunctions:
    """The functions of a user, and the module from which generated code imports them.

    Args:
        functions: The functions.
        module: The name of the module.

    Attributes:
        functions: As given.
        module: As given.

    Raises:
        ArgumentTypeError: `functions` is not a list, but for instance a function.
        InvalidArgumentError: The name cannot be imported.
    """

    def __init__(self, functions: Sequence[UserFunction], module: str) -> None:
        check_list("functions of an executor", functions)
        if not module.isidentifier() or iskeyword(module):
            raise InvalidArgumentError(f"Module name must be a valid Python identifier. It is {module!r}.")
        self.functions = tuple(functions)
        self.module = module

    def __bool__(self) -> bool:
        return bool(self.functions)

    def source(self) -> str:
        """The source of the module; empty without functions. Reads the files that define them.

        Raises:
            InvalidArgumentError: A function's source cannot be read, or two have the same name.
        """
        return module_source(self.functions) if self.functions else ""

    def digest(self) -> str:
        """The SHA-256 of the source in hexadecimal digits, for the identity of an effect. Raises as `source`."""
        return hashlib.sha256(self.source().encode("utf-8", "surrogatepass")).hexdigest()


class FunctionsInCode:
    """The part of an executor's interface that is about the functions which its code may call."""

    _functions: UserFunctions

    @property
    def functions(self) -> tuple[UserFunction, ...]:
        """Functions of the user that the code may call."""
        return self._functions.functions

    @property
    def functions_module(self) -> str:
        """The module that the code imports them from."""
        return self._functions.module

    def format_functions_for_prompt(self, prompt_template: str = PROMPT) -> str:
        """Describe the functions to a model: what it can import, their signatures and docstrings.

        Reads the files that define them.

        Args:
            prompt_template: Text in which ``$module_name`` and ``$functions`` are replaced.

        Raises:
            InvalidArgumentError: A function's source cannot be read, or two have the same name.
        """
        stubs = "\n\n".join(_stub(source) for source in _sources(self.functions))
        return Template(prompt_template).safe_substitute(module_name=self.functions_module, functions=stubs)


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
