"""Functions of the user that generated code may call, with what they need.

They are text here: nothing of them runs until `FunctionWithRequirementsStr.compiled_func` is called.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar

from symposia.core.exceptions import InvalidArgumentError

P = ParamSpec("P")
T = TypeVar("T")
OwnP = ParamSpec("OwnP")  # of a method, where the class's own would be
OwnT = TypeVar("OwnT")
FunctionNode: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"


@dataclass(frozen=True)
class Alias:
    """``name as alias`` of an import."""

    name: str
    alias: str


@dataclass(frozen=True)
class ImportFromModule:
    """``from module import …``."""

    module: str
    imports: tuple[str | Alias, ...]

    def __init__(self, module: str, imports: Sequence[str | Alias]) -> None:
        object.__setattr__(self, "module", module)
        object.__setattr__(self, "imports", tuple(imports))


Import: TypeAlias = str | ImportFromModule | Alias
"""A module by its name, a module under another name, or names out of a module."""


class CompiledWhenCalled:
    """The function of a source, which is compiled and run in this process when it is called, and not before.

    Args:
        source: The source of one function.
        name: The function's.
    """

    def __init__(self, source: str, name: str) -> None:
        self._source = source
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # Any: whatever the function takes and gives
        """Call it here. What it imports has to be imported in it."""
        namespace: dict[str, Callable[..., Any]] = {}
        exec(compile(self._source, f"<{self.__name__}>", "exec"), namespace)  # noqa: S102 - what the caller asks for
        return namespace[self.__name__](*args, **kwargs)


@dataclass
class FunctionWithRequirementsStr:
    """A function given as source.

    Attributes:
        func: The source: one function, and nothing else beside imports.
        python_packages: Distributions that it needs.
        global_imports: Imports that stand above it.
        compiled_func: The function, to run the source in this process rather than in a sandbox.

    Raises:
        InvalidArgumentError: The source does not parse, or is not of exactly one function.
    """

    func: str
    python_packages: Sequence[str] = ()
    global_imports: Sequence[Import] = ()
    compiled_func: CompiledWhenCalled = field(init=False, repr=False, compare=False)
    _func_name: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.func = textwrap.dedent(self.func)
        self._func_name = function_node(self.func).name
        self.compiled_func = CompiledWhenCalled(self.func, self._func_name)

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Refuse: the source is for a sandbox."""
        raise NotImplementedError("A function given as source cannot be called here: it is only for generated code.")


@dataclass
class FunctionWithRequirements(Generic[T, P]):
    """A function with its requirements in generated code. Called here, it is the function itself.

    Attributes:
        func: The function.
        python_packages: Distributions that it needs.
        global_imports: Imports that stand above it.
    """

    func: Callable[P, T]
    python_packages: Sequence[str] = field(default_factory=list[str])
    global_imports: Sequence[Import] = field(default_factory=list[Import])

    @staticmethod
    def from_callable(
        func: Callable[OwnP, OwnT], python_packages: Sequence[str] = (), global_imports: Sequence[Import] = ()
    ) -> FunctionWithRequirements[OwnT, OwnP]:
        """Declare the requirements of a function."""
        return FunctionWithRequirements(func, list(python_packages), list(global_imports))

    @staticmethod
    def from_str(
        func: str, python_packages: Sequence[str] = (), global_imports: Sequence[Import] = ()
    ) -> FunctionWithRequirementsStr:
        """Declare the requirements of a function that is given as source; see `FunctionWithRequirementsStr`."""
        return FunctionWithRequirementsStr(func, list(python_packages), list(global_imports))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function."""
        return self.func(*args, **kwargs)


def with_requirements(
    python_packages: Sequence[str] = (), global_imports: Sequence[Import] = ()
) -> Callable[[Callable[P, T]], FunctionWithRequirements[T, P]]:
    """Decorate a function with its requirements in generated code.

    Args:
        python_packages: Distributions that it needs.
        global_imports: Imports that stand above it.
    """

    def decorate(func: Callable[P, T]) -> FunctionWithRequirements[T, P]:
        return FunctionWithRequirements(func, list(python_packages), list(global_imports))

    return decorate


UserFunction: TypeAlias = FunctionWithRequirements[Any, Any] | FunctionWithRequirementsStr | Callable[..., Any]
"""Whatever can be offered to generated code. Of a plain callable only the source is used: any signature will do."""


def function_source(function: UserFunction) -> str:
    """Return the source of a function, without decorators. Reads its file.

    Raises:
        InvalidArgumentError: It has no source that can be read: it is a lambda, a builtin, or was typed in.
    """
    if isinstance(function, FunctionWithRequirementsStr):
        return function.func.strip()
    plain: Callable[..., object] = function.func if isinstance(function, FunctionWithRequirements) else function
    try:
        source = textwrap.dedent(inspect.getsource(plain))
    except (OSError, TypeError) as error:
        raise InvalidArgumentError(f"The source of {plain!r} cannot be read. Give it with from_str.") from error
    node = function_node(source)
    return "\n".join(source.splitlines()[node.lineno - 1 : node.end_lineno])


def function_node(source: str) -> FunctionNode:
    """Parse the one function that `source` holds.

    Raises:
        InvalidArgumentError: It does not parse, or does not hold exactly one function beside imports.
    """
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise InvalidArgumentError(f"The source of a function does not parse: {error}") from error
    others = [statement for statement in statements if not isinstance(statement, (ast.Import, ast.ImportFrom))]
    if len(others) == 1 and isinstance(others[0], (ast.FunctionDef, ast.AsyncFunctionDef)):
        return others[0]
    raise InvalidArgumentError("The source must hold exactly one function, and nothing else beside imports.")
