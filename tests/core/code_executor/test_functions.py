import math

import pytest

from symposia.core.code_executor import (
    Alias,
    FunctionWithRequirements,
    FunctionWithRequirementsStr,
    ImportFromModule,
    function_source,
    with_requirements,
)
from symposia.core.exceptions import InvalidArgumentError


@with_requirements(python_packages=["numpy"], global_imports=["math", Alias("json", "j")])
def area(radius: float) -> float:
    """Give the area of a circle."""
    return math.pi * radius**2


async def later(value: int) -> int:
    return value


def test_a_decorated_function_can_still_be_called() -> None:
    assert isinstance(area, FunctionWithRequirements)
    assert area(1.0) == math.pi
    assert (area.python_packages, area.global_imports) == (["numpy"], ["math", Alias("json", "j")])


def test_the_source_of_a_function_has_no_decorators() -> None:
    assert function_source(area) == (
        'def area(radius: float) -> float:\n    """Give the area of a circle."""\n    return math.pi * radius**2'
    )
    assert function_source(later) == "async def later(value: int) -> int:\n    return value"
    assert function_source(FunctionWithRequirements.from_callable(later)) == function_source(later)


def test_a_function_inside_another_is_moved_to_the_margin() -> None:
    def inner(value: int) -> int:
        return value + 1

    assert function_source(inner) == "def inner(value: int) -> int:\n    return value + 1"


def test_a_function_may_be_given_as_source() -> None:
    function = FunctionWithRequirements.from_str("\n    def twice(x):\n        return 2 * x\n", ["numpy"])
    assert isinstance(function, FunctionWithRequirementsStr)
    assert function_source(function) == "def twice(x):\n    return 2 * x"
    with pytest.raises(NotImplementedError, match="cannot be called here"):
        function(1)


def test_a_source_is_never_run_here() -> None:
    source = "import no_such_module\ndef twice(x=no_such_name()):\n    return 2 * x"
    assert function_source(FunctionWithRequirements.from_str(source)) == source


@pytest.mark.parametrize("source", ["x = 1", "def a(): pass\ndef b(): pass", "class A: pass", ""])
def test_a_source_holds_exactly_one_function(source: str) -> None:
    with pytest.raises(InvalidArgumentError, match="exactly one function"):
        FunctionWithRequirements.from_str(source)


def test_a_source_that_does_not_parse_is_a_mistake() -> None:
    with pytest.raises(InvalidArgumentError, match="does not parse"):
        FunctionWithRequirements.from_str("def a(:")


def test_a_function_without_source_is_a_mistake() -> None:
    with pytest.raises(InvalidArgumentError, match="cannot be read"):
        function_source(len)


def test_names_of_an_import_are_kept_whatever_sequence_they_come_in() -> None:
    assert ImportFromModule("os", ["path"]) == ImportFromModule("os", ("path",))


def test_a_function_given_as_source_runs_here_only_when_its_compiled_form_is_called() -> None:
    given = FunctionWithRequirementsStr("def double(n):\n    return 2 * n")
    assert given.compiled_func(21) == 42
    with pytest.raises(NotImplementedError):
        given(21)


def test_nothing_of_a_function_given_as_source_runs_when_it_is_given() -> None:
    source = "def harmless(value=1 // 0):\n    return value"
    given = FunctionWithRequirementsStr(source)
    with pytest.raises(ZeroDivisionError):
        given.compiled_func()
